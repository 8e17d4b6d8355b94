import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { podsForWeight, stepWeights, weightForPods } from './weights.ts';

const analysis = { interval: '10s', threshold: 5, minRequests: 10, metrics: [] };

describe('the weights of the steps', () => {
  test.each([
    ['a list is taken as it is', { stepWeights: [5, 50, 100] }, 100, [5, 50, 100]],
    ['a step goes up to the maximum', { stepWeight: 20, maxWeight: 50 }, 100, [20, 40, 50]],
    ['a step without a maximum goes up to 100', { stepWeight: 40 }, 100, [40, 80, 100]],
    ['steps beyond what pods can be had for are cut', { stepWeights: [5, 50, 100] }, 25, [5, 25]],
    ['equal steps are one', { stepWeights: [5, 5, 10] }, 100, [5, 10]],
  ])('%s', (_, weights, reachable, expected) => {
    expect(stepWeights({ ...analysis, ...weights }, reachable)).toEqual(expected);
  });

  test('a weight needs as many pods as can carry it', () => {
    const percent = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(percent, fc.integer({ min: 1, max: 500 }), (weight, replicas) => {
        const pods = podsForWeight(weight, replicas);
        expect(weightForPods(pods, replicas)).toBeGreaterThanOrEqual(weight);
        expect(weightForPods(pods - 1, replicas)).toBeLessThan(weight);
      }),
    );
  });
});
