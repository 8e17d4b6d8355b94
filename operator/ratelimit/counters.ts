import type { RateUnit } from '../../api/rate-limit-policy.ts';

/** Requests to be counted against one limit. */
export interface Hit {
  /** What is counted: the limit and the values of its `countBy`. */
  readonly key: string;
  /** What is counted instead where there is no room for more keys. */
  readonly overflow: string;
  /** How many requests; 1 as a rule. */
  readonly hits: number;
  /** The limit: requests in a unit. */
  readonly requests: number;
  readonly unit: RateUnit;
}

/** How the limit stands after a hit. */
export interface Tally {
  readonly over: boolean;
  /** Requests that are left in the window. */
  readonly remaining: number;
  /** Until the window ends, in ms. */
  readonly resetMs: number;
}

/**
 * Where counts are kept. They are of windows of one unit that begin with the first request: no clock is compared with another's, and no moment is the
 * start of everybody's.
 */
export interface Counters {
  /**
   * Counts hits of one domain.
   * @returns a tally for each, in their order
   * @throws {Error} when the counts can't be asked; what becomes of the request then is for its policy to say
   */
  count(domain: string, hits: readonly Hit[]): Promise<readonly Tally[]>;
}

/** The tally of a count. */
export function tallyOf(count: number, requests: number, resetMs: number): Tally {
  return { over: count > requests, remaining: Math.max(0, requests - count), resetMs };
}
