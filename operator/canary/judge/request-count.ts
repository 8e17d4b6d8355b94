import { NOTHING } from './evidence.ts';
import { type Bound, type MetricKind, shown } from './metric-kind.ts';

/**
 * Requests that callers sent in the window. Compared with the stable revision's it is what the new one got of its share: at 20 % of the requests it
 * should have a quarter of what the stable one has.
 */
export const REQUEST_COUNT: MetricKind = {
  sides: ['callers'],
  values: (_, { next, stable, weight }) => ({
    next: next.requests,
    stable: stable && weight < 100 ? (stable.requests * weight) / (100 - weight) : undefined,
  }),
  bounds: ({ min, max, maxDecrease, maxIncrease }) => [
    ...(min === undefined ? [] : [counted('min', min)]),
    ...(max === undefined ? [] : [counted('max', max)]),
    ...(maxDecrease === undefined ? [] : [ofItsShare('maxDecrease', maxDecrease)]),
    ...(maxIncrease === undefined ? [] : [ofItsShare('maxIncrease', maxIncrease)]),
  ],
};

/** What was counted is what was counted: no chance comes into it. */
function counted(name: 'min' | 'max', limit: number): Bound {
  const sign = name === 'min' ? 1 : -1;
  return {
    name,
    limit,
    relative: false,
    excess: (next) => sign * (limit - next),
    words: (next) => `${next} is ${name === 'min' ? 'below' : 'above'} ${limit}`,
    strictest: limit,
    kept: (next) => next,
  };
}

function ofItsShare(name: 'maxDecrease' | 'maxIncrease', limit: number): Bound {
  const sign = name === 'maxDecrease' ? -1 : 1;
  const percent = (next: number, stable: number) => (stable <= 0 ? 0 : sign * (next / stable - 1) * 100);
  return {
    name,
    limit,
    relative: true,
    excess: (next, stable) => percent(next, stable) - limit,
    words: (next, stable) =>
      `${next} is more than ${limit} % ${sign < 0 ? 'below' : 'above'} the ${shown(stable, 0)} that are its share`,
    strictest: 0,
    kept: percent,
    test: ({ next, stable, weight }, at) => {
      if (!stable || weight >= 100 || weight <= 0) return undefined;
      const part = weight * Math.max(0, 1 + (sign * at) / 100);
      const share = part / (part + 100 - weight);
      const total = next.requests + stable.requests;
      const bad = sign < 0 ? stable.requests : next.requests;
      return {
        claim: { kind: 'limit', most: sign < 0 ? 1 - share : share },
        samples: { next: { bad, total }, stable: NOTHING },
      };
    },
  };
}
