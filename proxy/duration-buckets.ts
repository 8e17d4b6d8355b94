/** Upper bounds in milliseconds of the buckets that sidecars count durations in, as in Istio's and wide enough for streams of hours. */
export const DURATION_BUCKETS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

/** Upper bounds in bytes of the buckets of bodies: a factor of ten apart, for what is asked of them is what is large. */
export const SIZE_BUCKETS: readonly number[] = [
  100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
];
