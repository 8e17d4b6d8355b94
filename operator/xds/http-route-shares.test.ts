import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Share } from './destination.ts';
import { multiplyShares } from './http-route-shares.ts';

type Split = readonly number[];

/** The weights that come of backends with these weights, whose clusters have these shares in percent. */
function weightsOf(...backends: readonly (readonly [weight: number, split: Split])[]): number[] {
  const splits = backends.map(([weight, split], index) => ({ hostname: String(index), weight, split }));
  return multiplyShares(splits, ({ hostname, split }): Share[] =>
    split.map((weight, index) => ({ cluster: `${hostname}-${index}`, weight })),
  ).map(({ weight }) => weight);
}

test.each<[string, [number, Split][], number[]]>([
  ['one backend', [[100, [100]]], [100]],
  ['one backend with a split', [[1, [95, 5]]], [95, 5]],
  [
    'backends as weighed',
    [
      [95, [100]],
      [5, [100]],
    ],
    [95, 5],
  ],
  [
    'weights that do not add up to 100',
    [
      [1, [100]],
      [2, [100]],
    ],
    [1, 2],
  ],
  [
    'a split in each',
    [
      [5, [95, 5]],
      [95, [95, 5]],
    ],
    [19, 1, 361, 19],
  ],
  [
    'a split in one',
    [
      [50, [50, 50]],
      [50, [100]],
    ],
    [25, 25, 50],
  ],
  [
    'no weight',
    [
      [0, [100]],
      [3, [100]],
    ],
    [100],
  ],
  [
    'a cluster without weight',
    [
      [10, [100, 0]],
      [30, [100]],
    ],
    [10, 30],
  ],
])('gives %s', (_, backends, expected) => {
  expect(weightsOf(...backends)).toEqual(expected);
});

test('ratios are exact, whatever the weights', () => {
  const percent = fc.integer({ min: 0, max: 100 });
  const split = percent.map((next): Split => [100 - next, next]);
  const backends = fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), split), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(backends, (given) => {
      const expected = given.flatMap(([weight, shares]) => shares.map((share) => weight * share)).filter((w) => w > 0);
      const weights = weightsOf(...given);
      expect(weights).toHaveLength(expected.length);
      const [firstWeight = 0] = weights;
      const [firstExpected = 0] = expected;
      for (const [index, weight] of weights.entries()) {
        expect(Number.isInteger(weight) && weight > 0).toBe(true);
        expect(BigInt(weight) * BigInt(firstExpected)).toBe(BigInt(expected[index] ?? 0) * BigInt(firstWeight));
      }
    }),
  );
});

test('the sum stays within 32 bits, and nothing with weight is lost', () => {
  const weights = weightsOf([2_147_483_647, [99, 1]], [2_147_483_647, [51, 49]], [1, [37, 63]]);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  expect(total).toBeLessThanOrEqual(0xffffffff);
  expect(Math.min(...weights)).toBe(1);
  expect((weights[0] ?? 0) / total).toBeCloseTo(0.495, 6);
});
