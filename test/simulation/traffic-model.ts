import type { RevisionTraffic, TrafficAnswer } from '../../operator/telemetry/traffic.ts';
import type { Random } from '../fuzz/engine/random.ts';

/** How a metric source can be out of order. */
export type MetricFault = 'none' | 'incomplete' | 'vanished' | 'silent';

interface Slice {
  readonly at: number;
  readonly requests: number;
  readonly failures: number;
}

/** The requests of each revision, as they really went: by the weight in force and the revision's own share of errors. */
export class TrafficModel {
  readonly #random: Random;
  readonly #slices = new Map<string, Slice[]>();
  fault: MetricFault = 'none';

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * Lets requests go to a revision.
   * @param at end of the time they took, in ms since the epoch
   * @param errorShare 0 to 1
   */
  serve(revision: string, at: number, requests: number, errorShare: number): void {
    const slices = this.#slices.get(revision) ?? [];
    slices.push({ at, requests, failures: this.#draw(requests, errorShare) });
    if (slices.length > 400) slices.shift();
    this.#slices.set(revision, slices);
  }

  /** What the operator is told of a window. */
  window(revision: string, since: number): TrafficAnswer {
    let requests = 0;
    let failures = 0;
    for (const slice of this.#slices.get(revision) ?? []) {
      if (slice.at < since) continue;
      requests += slice.requests;
      failures += slice.failures;
    }
    if (this.fault === 'silent') requests = failures = 0;
    const durations = requests > 0 ? [{ overMs: 10, upToMs: 25, count: requests }] : [];
    const p99Ms = requests > 0 ? 12 : undefined;
    const side: RevisionTraffic = { requests, failures, p99Ms, durations, reporters: 2 };
    const served = this.fault === 'vanished' ? { ...side, requests: 0, failures: 0, reporters: 0 } : side;
    return { callers: side, served, complete: this.fault !== 'incomplete' };
  }

  #draw(requests: number, share: number): number {
    if (share <= 0) return 0;
    if (share >= 1) return requests;
    let failures = 0;
    for (let i = 0; i < requests; i++) if (this.#random.below(1e6) < share * 1e6) failures++;
    return failures;
  }
}
