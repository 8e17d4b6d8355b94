/** One figure of a bench. */
export interface BenchResult {
  /** Which bench: `injection`, `fan-out`, … */
  readonly bench: string;
  /** What was measured, in words. */
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** What it should not exceed, in the same unit; absent where there is no aim. */
  readonly aim?: number;
}
