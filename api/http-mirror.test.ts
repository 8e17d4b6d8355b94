import { describe, expect, test } from '@jest/globals';
import { mirrorsOf } from './http-mirror.ts';

describe('The mirrors of a rule', () => {
  const mirror = { host: 'a' };
  test.each([
    ['all requests without a percentage', { mirror }, [100]],
    ['the percentage', { mirror, mirrorPercentage: { value: 0.5 } }, [0.5]],
    ['nothing with an empty percentage', { mirror, mirrorPercentage: {} }, [0]],
    ['the deprecated percentage', { mirror, mirror_percent: 7 }, [7]],
    ['the newer percentage of two', { mirror, mirrorPercent: 7, mirrorPercentage: { value: 8 } }, [8]],
    [
      'their own percentages',
      { mirrors: [{ destination: mirror }, { destination: mirror, percentage: { value: 3 } }] },
      [100, 3],
    ],
    ['none', {}, []],
  ])('get %s', (_, rule, shares) => {
    expect(mirrorsOf(rule).map(({ percent }) => percent)).toEqual(shares);
  });
});
