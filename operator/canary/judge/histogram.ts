import type { SideCounts } from '../../../api/canary-round.ts';

type DurationBucket = NonNullable<SideCounts['durations']>[number];

/**
 * The duration in ms that a share of the requests did not exceed, interpolated within its bucket.
 * @param buckets rising, without gaps that hold requests
 * @param share between 0 and 1
 * @returns undefined without requests; the greatest bound for requests beyond it
 */
export function quantileMs(buckets: readonly DurationBucket[], share: number): number | undefined {
  const total = requestsIn(buckets);
  if (total === 0) return undefined;
  const rank = share * total;
  let below = 0;
  for (const { overMs, upToMs = overMs, count } of buckets) {
    if (count > 0 && below + count >= rank) return overMs + (upToMs - overMs) * Math.max(0, (rank - below) / count);
    below += count;
  }
  return buckets.at(-1)?.overMs;
}

/** How many took longer than so many ms; interpolated within the bucket, rounded down: what is not sure is not held against anybody. */
export function countOver(buckets: readonly DurationBucket[], ms: number): number {
  let over = 0;
  for (const { overMs, upToMs, count } of buckets) {
    if (overMs >= ms) over += count;
    else if (upToMs === undefined) over += count;
    else if (upToMs > ms) over += (count * (upToMs - ms)) / (upToMs - overMs);
  }
  // Sums of shares of counts are off by less than this.
  return Math.floor(over + 1e-6);
}

export function requestsIn(buckets: readonly DurationBucket[]): number {
  return buckets.reduce((sum, { count }) => sum + count, 0);
}
