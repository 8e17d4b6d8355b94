import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CanaryAnalysis } from '../../api/canary-analysis.ts';
import { specOf } from './observation.fixture.ts';
import { carriedWeight, planOf, type Room, type Step } from './plan.ts';
import { podsForWeight } from './weights.ts';

const analysisOf = (fields: object): CanaryAnalysis => specOf({ stepWeights: undefined, ...fields }).analysis;
const room = (reachable = 100, replicas = 4): Room => ({ reachable, replicas });

/** A plan in short: `weight/mirror pods% checks×seconds`, with `M` for requests that match. */
function inShort(steps: readonly Step[]): string[] {
  return steps.map(({ weight, matched, mirror, pods, checks, intervalMs }) => {
    const gets = matched ? 'M' : mirror > 0 ? `copies ${mirror}` : String(weight);
    return `${gets} pods ${pods}% ${checks}x${intervalMs / 1000}s`;
  });
}

describe('the steps of an analysis', () => {
  test.each<[string, object, Room, string[]]>([
    [
      'a list of weights is taken as it is',
      { stepWeights: [5, 50, 100] },
      room(),
      ['5 pods 5% 1x10s', '50 pods 50% 1x10s', '100 pods 100% 1x10s'],
    ],
    [
      'a step goes up to the maximum',
      { stepWeight: 20, maxWeight: 50 },
      room(),
      ['20 pods 20% 1x10s', '40 pods 40% 1x10s', '50 pods 50% 1x10s'],
    ],
    [
      'a step without a maximum goes up to 100',
      { stepWeight: 60 },
      room(),
      ['60 pods 60% 1x10s', '100 pods 100% 1x10s'],
    ],
    [
      'steps beyond what pods can be had for are cut',
      { stepWeights: [5, 50, 100] },
      room(25),
      ['5 pods 5% 1x10s', '25 pods 25% 1x10s'],
    ],
    [
      'steps last as long as they say, with a check every interval',
      { stepWeights: [5, 50, 100], stepDurations: ['5s', '1m', '10s'] },
      room(),
      ['5 pods 5% 1x5s', '50 pods 50% 6x10s', '100 pods 100% 1x10s'],
    ],
    [
      'steps that are cut to one last as the longest of them',
      { stepWeights: [50, 80], stepDurations: ['1m', '20s'] },
      room(30),
      ['30 pods 30% 6x10s'],
    ],
    ['blue/green gets nothing at all', { iterations: 5 }, room(), ['0 pods 100% 5x10s']],
    ['blue/green with a mirror gets copies', { iterations: 5, mirror: true }, room(), ['copies 100 pods 100% 5x10s']],
    [
      'an A/B test gets what matches',
      { iterations: 3, match: [{ headers: { 'x-beta': {} } }] },
      room(),
      ['M pods 100% 3x10s'],
    ],
    [
      'copies come before an A/B test',
      { iterations: 3, match: [{ headers: { 'x-beta': {} } }], mirror: true, mirrorWeight: 10 },
      room(),
      ['copies 10 pods 10% 1x10s', 'M pods 100% 3x10s'],
    ],
    [
      'copies come before the first weight',
      { stepWeights: [5, 50], mirror: true, mirrorWeight: 30 },
      room(),
      ['copies 30 pods 30% 1x10s', '5 pods 5% 1x10s', '50 pods 50% 1x10s'],
    ],
    [
      'as many pods as the user says stand at every step',
      { stepWeights: [5, 50], surge: 1 },
      room(),
      ['5 pods 25% 1x10s', '50 pods 25% 1x10s'],
    ],
    ['in percent, too', { stepWeights: [5, 50], surge: '60%' }, room(), ['5 pods 60% 1x10s', '50 pods 60% 1x10s']],
    ['but no more than there is room for', { iterations: 2, surge: '60%' }, room(25), ['0 pods 25% 2x10s']],
  ])('%s', (_, fields, pods, expected) => {
    expect(inShort(planOf(analysisOf(fields), pods))).toEqual(expected);
  });

  test('a surge of pods is as many pods', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), (surge, replicas) => {
        const [step] = planOf(analysisOf({ stepWeight: 10, surge }), room(100, replicas));
        expect(podsForWeight(step?.pods ?? 0, replicas)).toBe(Math.min(surge, replicas));
      }),
    );
  });

  test('rise, whatever is written', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 100 }), (wanted, reachable) => {
        const sorted = wanted.toSorted((a, b) => a - b);
        const plan = planOf(analysisOf({ stepWeights: sorted }), room(reachable)).map(({ weight }) => weight);
        expect(plan).toEqual([...new Set(plan)].sort((a, b) => a - b));
        expect(plan.at(-1)).toBe(Math.min(reachable, sorted.at(-1) ?? 0));
      }),
    );
  });

  test('have less of their weight with less of their pods, and none without', () => {
    const percent = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(
        percent,
        percent,
        fc.integer({ min: 1, max: 50 }),
        fc.nat({ max: 50 }),
        (weight, pods, replicas, there) => {
          const step = { weight, pods, matched: false, mirror: 0, intervalMs: 1, checks: 1 };
          const carried = carriedWeight(step, there, replicas);
          expect(carried).toBeLessThanOrEqual(weight);
          expect(carriedWeight(step, there + 1, replicas)).toBeGreaterThanOrEqual(carried);
          expect(carriedWeight(step, 0, replicas)).toBe(0);
          if (there >= podsForWeight(pods, replicas)) expect(carried).toBe(weight);
        },
      ),
    );
  });
});
