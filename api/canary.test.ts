import { describe, expect, test } from '@jest/globals';
import { canarySpec } from './canary.ts';

const targetRef = { kind: 'Deployment', name: 'ordering' };

/** The messages of the problems, each after the path of its field. */
function problems(analysis: object): string[] {
  const result = canarySpec.safeParse({ targetRef, analysis });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the analysis of a Canary', () => {
  test.each([
    ['stepWeights', { interval: '8s', stepWeights: [5, 50, 100] }],
    ['stepWeight and maxWeight', { interval: '1m30s', stepWeight: 10, maxWeight: 50 }],
    [
      'a range of a metric',
      { interval: '1s', stepWeight: 10, metrics: [{ name: 'request-duration', thresholdRange: { max: 500 } }] },
    ],
  ])('may have %s', (_, analysis) => {
    expect(problems(analysis)).toEqual([]);
  });

  test.each([
    ['a negative interval', { interval: '-5s', stepWeight: 5 }, 'analysis.interval: must be a positive duration'],
    ['an interval of zero', { interval: '0s', stepWeight: 5 }, 'analysis.interval: must be a positive duration'],
    ['no weights', { interval: '5s' }, 'analysis: give exactly one of iterations, stepWeight and stepWeights'],
    ['both weights', { interval: '5s', stepWeight: 5, stepWeights: [5] }, 'analysis: give exactly one of'],
    ['weights that fall', { interval: '5s', stepWeights: [50, 5] }, 'analysis: stepWeights must rise'],
    ['a weight over 100', { interval: '5s', stepWeights: [5, 101] }, 'analysis.stepWeights.1: '],
    [
      'a step over the maximum',
      { interval: '5s', stepWeight: 60, maxWeight: 50 },
      'analysis: stepWeight must not be above',
    ],
    [
      'a range without bounds',
      { interval: '5s', stepWeight: 5, metrics: [{ name: 'request-duration', thresholdRange: {} }] },
      'analysis.metrics.0.thresholdRange: give min, max or both',
    ],
  ])('must not have %s', (_, analysis, message) => {
    expect(problems(analysis)).toEqual([expect.stringContaining(message)]);
  });
});
