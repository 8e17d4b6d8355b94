import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Durations } from './durations.ts';

const UPPER = [1, 5, 10, 25, 50, 100, 250, 500, 1000];

function bucketsOf(samples: readonly number[]) {
  return {
    total: samples.length,
    buckets: UPPER.map((upperMs) => ({ upperMs, cumulative: samples.filter((sample) => sample <= upperMs).length })),
  };
}

describe('durations', () => {
  test('have no quantile without requests', () => {
    expect(new Durations().quantile(0.99)).toBeUndefined();
  });

  test('interpolate within the bucket', () => {
    const durations = new Durations();
    durations.add(bucketsOf(Array.from({ length: 100 }, () => 30)));
    expect(durations.quantile(0.5)).toBeCloseTo(37.5);
    expect(durations.quantile(1)).toBe(50);
  });

  test('give the greatest bound for requests beyond all bounds', () => {
    const durations = new Durations();
    durations.add({ total: 3, buckets: [{ upperMs: 3_600_000, cumulative: 0 }] });
    expect(durations.quantile(0.99)).toBe(3_600_000);
  });

  test('put every quantile into the bucket of the true one, however the samples are divided', () => {
    const samples = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(samples, fc.nat({ max: 300 }), fc.double({ min: 0.01, max: 1, noNaN: true }), (all, cut, share) => {
        const durations = new Durations();
        durations.add(bucketsOf(all.slice(0, cut)));
        const rest = new Durations();
        rest.add(bucketsOf(all.slice(cut)));
        durations.merge(rest);
        const rank = Math.max(0, Math.ceil(share * all.length - 1e-9) - 1);
        const truth = all.toSorted((a, b) => a - b)[rank] ?? 0;
        const upper = UPPER.find((bound) => truth <= bound) ?? 0;
        const lower = UPPER[UPPER.indexOf(upper) - 1] ?? 0;
        const quantile = durations.quantile(share) ?? -1;
        expect(quantile).toBeGreaterThanOrEqual(lower);
        expect(quantile).toBeLessThanOrEqual(upper);
      }),
    );
  });
});
