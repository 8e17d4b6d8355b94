import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Durations } from '../../telemetry/durations.ts';
import { countOver, quantileMs, requestsIn } from './histogram.ts';

const buckets = [
  { overMs: 1, upToMs: 5, count: 80 },
  { overMs: 100, upToMs: 250, count: 15 },
  { overMs: 3_600_000, count: 5 },
];

describe('a histogram', () => {
  test('gives percentiles, interpolated within their bucket', () => {
    expect(quantileMs(buckets, 0.4)).toBe(3);
    expect(quantileMs(buckets, 0.95)).toBe(250);
    expect(quantileMs(buckets, 0.99)).toBe(3_600_000);
    expect(quantileMs([], 0.5)).toBeUndefined();
  });

  test('counts what took longer, and holds against nobody what is not sure', () => {
    expect([0, 3, 5, 175, 250, 10_000].map((ms) => countOver(buckets, ms))).toEqual([100, 60, 20, 12, 5, 5]);
  });

  test('is that of the ledger', () => {
    const cumulative = fc.array(fc.nat(50), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(cumulative, fc.constantFrom(0.5, 0.9, 0.99), ([a = 0, b = 0, c = 0], share) => {
        const durations = new Durations();
        const bounds = [5, 100, 1000];
        const sums = [a, a + b, a + b + c];
        durations.add({
          total: a + b + c,
          buckets: bounds.map((upperMs, at) => ({ upperMs, cumulative: sums[at] ?? 0 })),
        });
        expect(requestsIn(durations.buckets())).toBe(a + b + c);
        expect(quantileMs(durations.buckets(), share)).toEqual(durations.quantile(share));
      }),
    );
  });
});
