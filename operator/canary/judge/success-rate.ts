import type { RecordedMetric, SideCounts } from '../../../api/canary-round.ts';
import { type Counts, NOTHING } from './evidence.ts';
import { type Bound, type MetricKind, shown } from './metric-kind.ts';

/** Share of requests that did not fail, in percent. What failing is: `operator/telemetry/outcome.ts`, for HTTP and gRPC. */
export const SUCCESS_RATE: MetricKind = {
  sides: ['callers', 'served'],
  values: (_, { next, stable }) => ({ next: rate(next), stable: stable && rate(stable) }),
  bounds: ({ min, max, maxDecrease }: RecordedMetric) => [
    ...(min === undefined ? [] : [atLeast(min)]),
    ...(max === undefined ? [] : [atMost(max)]),
    ...(maxDecrease === undefined ? [] : [noWorse(maxDecrease)]),
  ],
};

function rate({ requests, failures }: SideCounts): number | undefined {
  return requests === 0 ? undefined : ((requests - failures) * 100) / requests;
}

function failuresOf({ requests, failures }: SideCounts): Counts {
  return { bad: failures, total: requests };
}

function atLeast(limit: number): Bound {
  return {
    name: 'min',
    limit,
    relative: false,
    excess: (next) => limit - next,
    words: (next) => `${shown(next)} % is below ${limit} %`,
    strictest: 100,
    kept: (next) => next,
    test: ({ next }, at) => ({
      claim: { kind: 'limit', most: (100 - at) / 100 },
      samples: { next: failuresOf(next), stable: NOTHING },
    }),
  };
}

function atMost(limit: number): Bound {
  return {
    name: 'max',
    limit,
    relative: false,
    excess: (next) => next - limit,
    words: (next) => `${shown(next)} % is above ${limit} %`,
    strictest: 0,
    kept: (next) => next,
    test: ({ next }, at) => ({
      claim: { kind: 'limit', most: at / 100 },
      samples: { next: { bad: next.requests - next.failures, total: next.requests }, stable: NOTHING },
    }),
  };
}

function noWorse(limit: number): Bound {
  return {
    name: 'maxDecrease',
    limit,
    relative: true,
    excess: (next, stable) => stable - next - limit,
    words: (next, stable) =>
      `${shown(next)} % is more than ${limit} points below the ${shown(stable)} % of the stable revision`,
    strictest: 0,
    kept: (next, stable) => stable - next,
    test: ({ next, stable }, at) =>
      stable && {
        claim: { kind: 'difference', margin: at / 100 },
        samples: { next: failuresOf(next), stable: failuresOf(stable) },
      },
  };
}
