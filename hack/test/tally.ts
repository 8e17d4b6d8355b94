/** How many tests passed and failed. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** The part of `jest --json` that counts. */
export interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  /** Tests that were skipped: nobody may lean on them, so they count as failed. */
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that could not even be loaded. */
  readonly numRuntimeErrorTestSuites: number;
}

/** Counts what Jest reports. */
export function tallyOf(result: JestResult): Tally {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = result;
  return {
    passed: numPassedTests,
    failed: numFailedTests + numPendingTests + numTodoTests + numRuntimeErrorTestSuites,
  };
}

/** Adds tallies up. */
export function sum(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((total, { passed }) => total + passed, 0),
    failed: tallies.reduce((total, { failed }) => total + failed, 0),
  };
}

/** The line that ends the run, which others read. */
export function lastLine({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}

/** 0 when something ran and nothing failed. */
export function exitCode({ passed, failed }: Tally): number {
  return failed === 0 && passed > 0 ? 0 : 1;
}
