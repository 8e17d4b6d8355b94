import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { podsForWeight, weightForPods } from './weights.ts';

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
