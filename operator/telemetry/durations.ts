import { DURATION_BUCKETS } from '../../proxy/duration-buckets.ts';
import type { DurationBuckets } from './metrics-message.ts';
import type { DurationBucket } from './traffic.ts';

/** How many requests took how long, in the buckets of the sidecars; one more is unbounded. */
export class Durations {
  private readonly counts = new Uint32Array(DURATION_BUCKETS.length + 1);
  private total = 0;

  /** Adds the requests of one interval. */
  add(buckets: DurationBuckets): void {
    for (const [bucket, count] of bucketCounts(buckets)) this.addTo(bucket, count);
  }

  /** Adds requests that took as long as those of a bucket, by its index. */
  addTo(index: number, by: number): void {
    if (by > 0) {
      this.counts[index] = (this.counts[index] ?? 0) + by;
      this.total += by;
    }
  }

  /** Adds all of another's. By index: windows of Canaries are summed of so many of these that an iterator would be most of the cost. */
  merge(other: Durations): void {
    if (other.total === 0) return;
    for (let index = 0; index < this.counts.length; index++) {
      this.counts[index] = (this.counts[index] ?? 0) + (other.counts[index] ?? 0);
    }
    this.total += other.total;
  }

  /** The buckets that hold requests, shortest first. */
  buckets(): DurationBucket[] {
    const found: DurationBucket[] = [];
    for (const [index, count] of this.counts.entries()) {
      const upToMs = DURATION_BUCKETS[index];
      if (count > 0)
        found.push({ overMs: DURATION_BUCKETS[index - 1] ?? 0, ...(upToMs === undefined ? {} : { upToMs }), count });
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
    for (const [index, upper] of DURATION_BUCKETS.entries()) {
      const count = this.counts[index] ?? 0;
      if (count > 0 && below + count >= rank) {
        const lower = DURATION_BUCKETS[index - 1] ?? 0;
        return lower + (upper - lower) * Math.max(0, (rank - below) / count);
      }
      below += count;
    }
    return DURATION_BUCKETS.at(-1);
  }
}

/** The buckets, by index, that hold requests of an interval, and how many. */
export function* bucketCounts({ total, buckets }: DurationBuckets): Generator<[bucket: number, count: number]> {
  let below = 0;
  for (const { upperMs, cumulative } of buckets) {
    if (cumulative > below) yield [bucketOf(upperMs), cumulative - below];
    below = Math.max(below, cumulative);
  }
  if (total > below) yield [DURATION_BUCKETS.length, total - below];
}

function bucketOf(upperMs: number): number {
  const index = DURATION_BUCKETS.findIndex((upper) => upperMs <= upper);
  return index < 0 ? DURATION_BUCKETS.length : index;
}
