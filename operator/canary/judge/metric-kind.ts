import type { RecordedMetric, SideCounts } from '../../../api/canary-round.ts';
import type { Claim, Samples } from './evidence.ts';

/** What was counted on one side of the call. */
export interface Side {
  readonly next: SideCounts;
  /** Undefined: there is nothing to compare with. */
  readonly stable: SideCounts | undefined;
  /** Percent of the requests that went to the new revision. */
  readonly weight: number;
}

/** A metric's values on one side of the call, in its unit. */
export interface Values {
  readonly next: number | undefined;
  readonly stable: number | undefined;
}

/** One of the bounds that a metric must keep. */
export interface Bound {
  readonly name: 'min' | 'max' | 'maxDecrease' | 'maxIncrease';
  readonly limit: number;
  /** It is about the difference from the stable revision. */
  readonly relative: boolean;
  /** By how much the values break the bound, in the unit of `limit`; 0 or less: they keep it. */
  readonly excess: (next: number, stable: number) => number;
  /** What is wrong with values that break it, e.g. "98.9 % is below 99 %". */
  readonly words: (next: number, stable: number) => string;
  /** The strictest limit there is: every value breaks it, or is at it. */
  readonly strictest: number;
  /** The limit that the values would just keep. */
  readonly kept: (next: number, stable: number) => number;
  /** What keeping a limit claims, and the samples that speak of it; undefined where a value that breaks the bound is proof. */
  readonly test?: (side: Side, limit: number) => { readonly claim: Claim; readonly samples: Samples } | undefined;
}

/** A metric that the mesh counts itself. */
export interface MetricKind {
  /** Sides of the call that it is judged by. */
  readonly sides: readonly ('callers' | 'served')[];
  readonly values: (metric: RecordedMetric, side: Side) => Values;
  readonly bounds: (metric: RecordedMetric) => readonly Bound[];
}

/** Cuts rather than rounds, so that 99.96 % never shows as 100 %. */
export function shown(value: number, digits = 2): string {
  const scale = 10 ** digits;
  return String(Math.floor(value * scale + 1e-9) / scale);
}
