import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Claim, logEvidence, NOTHING, type Samples } from './evidence.ts';

const counts = fc
  .tuple(fc.nat(3000), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([total, share]) => ({ total, bad: Math.floor(total * share ** 3) }));
const samples: fc.Arbitrary<Samples> = fc.record({ next: counts, stable: counts });
const claims: fc.Arbitrary<Claim> = fc.oneof(
  fc.record({ kind: fc.constant('limit' as const), most: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('difference' as const), margin: fc.double({ min: 0, max: 0.5, noNaN: true }) }),
);

/** ln of the chance of so many bad events. */
function logBinomial(bad: number, total: number, chance: number): number {
  let log = 0;
  for (let i = 0; i < bad; i++) log += Math.log((total - i) / (bad - i));
  return log + bad * Math.log(chance) + (total - bad) * Math.log1p(-chance);
}

/** What a bet pays on average, over all that samples of these sizes may show; exact. */
function mean(claim: Claim, before: Samples, sizes: [number, number], chances: [number, number]): number {
  let sum = 0;
  for (let next = 0; next <= sizes[0]; next++) {
    for (let stable = 0; stable <= sizes[1]; stable++) {
      const log = logBinomial(next, sizes[0], chances[0]) + logBinomial(stable, sizes[1], chances[1]);
      if (log < -40) continue;
      const block = { next: { bad: next, total: sizes[0] }, stable: { bad: stable, total: sizes[1] } };
      sum += Math.exp(log + logEvidence(claim, before, block));
    }
  }
  return sum;
}

describe('evidence', () => {
  test('is a number, whatever was counted', () => {
    fc.assert(
      fc.property(claims, samples, samples, (claim, before, block) => {
        const log = logEvidence(claim, before, block);
        expect(Math.abs(log)).toBeLessThanOrEqual(600);
      }),
      { numRuns: 300 },
    );
  });

  test('grows with each bad event of the new revision', () => {
    fc.assert(
      fc.property(claims, samples, (claim, block) => {
        const before = { next: NOTHING, stable: NOTHING };
        const of = (bad: number) => logEvidence(claim, before, { ...block, next: { ...block.next, bad } });
        const { bad, total } = block.next;
        if (bad < total) expect(of(bad + 1)).toBeGreaterThanOrEqual(of(bad) - 1e-6);
      }),
      { numRuns: 200 },
    );
  });

  test.each<[string, Claim, [number, number]]>([
    ['the limit', { kind: 'limit', most: 0.05 }, [0.05, 0.5]],
    ['less than the limit', { kind: 'limit', most: 0.05 }, [0.03, 0.5]],
    ['equal chances', { kind: 'difference', margin: 0 }, [0.02, 0.02]],
    ['equal chances that are great', { kind: 'difference', margin: 0 }, [0.4, 0.4]],
    ['a better revision', { kind: 'difference', margin: 0 }, [0.02, 0.05]],
    ['one that is worse by just the margin', { kind: 'difference', margin: 0.1 }, [0.15, 0.05]],
    ['one that is worse by less', { kind: 'difference', margin: 0.1 }, [0.1, 0.05]],
  ])('is a bet that pays no more than its stake on average over %s', (_, claim, chances) => {
    const empty = { next: NOTHING, stable: NOTHING };
    const known = { next: { bad: 9, total: 90 }, stable: { bad: 3, total: 100 } };
    for (const before of [empty, known]) {
      for (const sizes of [
        [20, 20],
        [10, 60],
        [40, 8],
      ] as [number, number][]) {
        expect(mean(claim, before, sizes, chances)).toBeLessThanOrEqual(1 + 1e-9);
      }
    }
  });

  test('pays much where the claim is wrong', () => {
    const block = { next: { bad: 55, total: 5000 }, stable: { bad: 5, total: 5000 } };
    const log = logEvidence({ kind: 'difference', margin: 0 }, { next: NOTHING, stable: NOTHING }, block);
    expect(log).toBeGreaterThan(Math.log(10_000));
  });
});
