import type { RecordedMetric, SideCounts } from '../../../api/canary-round.ts';
import { NOTHING } from './evidence.ts';
import { countOver, quantileMs, requestsIn } from './histogram.ts';
import { type Bound, type MetricKind, shown } from './metric-kind.ts';

const DEFAULT_PERCENTILE = 99;

/**
 * A percentile of the duration, in ms. That the 99th is at most 500 ms says that a request takes longer with a chance of at most 1 %, so it is
 * judged by counting those that did. Durations are known to their bucket and spread evenly in it, so limits and comparisons are as fine as buckets are.
 */
export const REQUEST_DURATION: MetricKind = {
  sides: ['callers', 'served'],
  values: (metric, { next, stable }) => ({
    next: quantileMs(next.durations ?? [], shareOf(metric)),
    stable: stable && quantileMs(stable.durations ?? [], shareOf(metric)),
  }),
  bounds: (metric) => {
    const { min, max, maxIncrease } = metric;
    return [
      ...(min === undefined ? [] : [atLeast(min, shareOf(metric))]),
      ...(max === undefined ? [] : [atMost(max, shareOf(metric))]),
      ...(maxIncrease === undefined ? [] : [noSlower(maxIncrease, shareOf(metric))]),
    ];
  },
};

function shareOf({ percentile = DEFAULT_PERCENTILE }: RecordedMetric): number {
  return percentile / 100;
}

function over({ durations = [] }: SideCounts, ms: number) {
  return { bad: countOver(durations, ms), total: requestsIn(durations) };
}

function atMost(limit: number, share: number): Bound {
  return {
    name: 'max',
    limit,
    relative: false,
    excess: (next) => next - limit,
    words: (next) => `${shown(next)} ms is above ${limit} ms`,
    strictest: 0,
    kept: (next) => next,
    test: ({ next }, at) => ({
      claim: { kind: 'limit', most: 1 - share },
      samples: { next: over(next, at), stable: NOTHING },
    }),
  };
}

function atLeast(limit: number, share: number): Bound {
  return {
    name: 'min',
    limit,
    relative: false,
    excess: (next) => limit - next,
    words: (next) => `${shown(next)} ms is below ${limit} ms`,
    strictest: 3_600_000,
    kept: (next) => next,
    test: ({ next }, at) => {
      const { bad, total } = over(next, at);
      return { claim: { kind: 'limit', most: share }, samples: { next: { bad: total - bad, total }, stable: NOTHING } };
    },
  };
}

/**
 * With L the stable revision's percentile, a revision slower by `limit` percent at most takes longer than L (1 + limit / 100) no more often than the stable one
 * takes longer than L. That L is read off the same counts makes the comparison an approximation; the simulation shows what it is worth.
 */
function noSlower(limit: number, share: number): Bound {
  const percent = (next: number, stable: number) => (stable <= 0 ? 0 : (next / stable - 1) * 100);
  return {
    name: 'maxIncrease',
    limit,
    relative: true,
    excess: (next, stable) => percent(next, stable) - limit,
    words: (next, stable) =>
      `${shown(next)} ms is more than ${limit} % above the ${shown(stable)} ms of the stable revision`,
    strictest: 0,
    kept: percent,
    test: ({ next, stable }, at) => {
      const threshold = stable && quantileMs(stable.durations ?? [], share);
      if (!stable || threshold === undefined) return undefined;
      return {
        claim: { kind: 'difference', margin: 0 },
        samples: { next: over(next, threshold * (1 + at / 100)), stable: over(stable, threshold) },
      };
    },
  };
}
