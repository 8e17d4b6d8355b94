/** One service of the chain that a request went through. */
export interface Hop {
  readonly service: string;
  readonly version: string;
  readonly pod: string;
  /** Why this hop failed; absent when it did not. */
  readonly error?: string;
}

/** What every service of the shop answers, as JSON. */
export interface Answer {
  readonly status: number;
  /** This service first, then those it called. */
  readonly chain: readonly Hop[];
}

/** Reads the chain out of another service's answer; empty when the answer came from something else, e.g. a proxy. */
export function readChain(body: string): readonly Hop[] {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && 'chain' in value && Array.isArray(value.chain))
      return value.chain;
  } catch {
    // Not ours.
  }
  return [];
}
