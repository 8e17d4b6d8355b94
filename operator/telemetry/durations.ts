import type { DurationBuckets } from './metrics-message.ts';
import type { DurationBucket } from './traffic.ts';

/** Upper bounds in ms of the buckets that are kept; those of the bootstrap's `histogram_bucket_settings`. One more is unbounded. */
const UPPER_MS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

/** How many requests took how long. */
export class Durations {
  private readonly counts = new Uint32Array(UPPER_MS.length + 1);
  private total = 0;

  /** Adds the requests of one interval. */
  add({ total, buckets }: DurationBuckets): void {
    let below = 0;
    for (const { upperMs, cumulative } of buckets) {
      this.count(bucketOf(upperMs), cumulative - below);
      below = Math.max(below, cumulative);
    }
    this.count(UPPER_MS.length, total - below);
  }

  merge(other: Durations): void {
    for (const [index, count] of other.counts.entries()) {
      this.count(index, count);
    }
  }

  /** The buckets that hold requests, shortest first. */
  buckets(): DurationBucket[] {
    const found: DurationBucket[] = [];
    for (const [index, count] of this.counts.entries()) {
      const upToMs = UPPER_MS[index];
      if (count > 0)
        found.push({ overMs: UPPER_MS[index - 1] ?? 0, ...(upToMs === undefined ? {} : { upToMs }), count });
    }
    return found;
  }

  /**
   * The duration in ms that a share of all requests did not exceed, interpolated within its bucket.
   * @param share between 0 and 1
   * @returns undefined without requests; the greatest bound for requests beyond it
   */
  quantile(share: number): number | undefined {
    if (this.total === 0) {
      return undefined;
    }
    const rank = share * this.total;
    let below = 0;
    for (const [index, upper] of UPPER_MS.entries()) {
      const count = this.counts[index] ?? 0;
      if (count > 0 && below + count >= rank) {
        const lower = UPPER_MS[index - 1] ?? 0;
        return lower + (upper - lower) * Math.max(0, (rank - below) / count);
      }
      below += count;
    }
    return UPPER_MS.at(-1);
  }

  private count(index: number, by: number): void {
    if (by > 0) {
      this.counts[index] = (this.counts[index] ?? 0) + by;
      this.total += by;
    }
  }
}

function bucketOf(upperMs: number): number {
  const index = UPPER_MS.findIndex((upper) => upperMs <= upper);
  return index < 0 ? UPPER_MS.length : index;
}
