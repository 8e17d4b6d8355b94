import { expect, test } from '@jest/globals';
import { canaryAnalysis } from '../api/canary-analysis.ts';
import { countSteps, leastSeconds } from './analysis-length.ts';

const CPU = { name: 'cpu-usage', thresholdRange: { max: 80 } };
const MATCH = [{ headers: { 'x-tester': { exact: 'yes' } } }];

test.each([
  ['weights', { stepWeights: [5, 50, 100] }, 3, 30],
  ['even weights', { stepWeight: 30, maxWeight: 70 }, 3, 30],
  ['weights after copies', { stepWeights: [5, 50], mirror: true }, 3, 30],
  ['blue/green', { iterations: 4 }, 1, 40],
  ['blue/green with copies', { iterations: 4, mirror: true }, 1, 40],
  ['an A/B test', { iterations: 4, match: MATCH }, 1, 40],
  ['an A/B test after copies', { iterations: 4, match: MATCH, mirror: true }, 2, 50],
  ['weights with samples of CPU', { stepWeights: [5, 50], metrics: [CPU] }, 2, 60],
  ['steps of their own length', { stepWeights: [5, 50], stepDurations: ['1m', '2m'] }, 2, 180],
  ['steps shorter than an interval', { stepWeights: [5, 50], stepDurations: ['3s', '4s'] }, 2, 7],
  ['such steps after copies', { stepWeights: [5, 50], stepDurations: ['1m', '2m'], mirror: true }, 3, 190],
  ['such steps with samples of CPU', { stepWeights: [5, 50], stepDurations: ['3s', '4s'], metrics: [CPU] }, 2, 60],
])('the steps of %s, and how long they take at least', (_, fields, steps, seconds) => {
  const analysis = canaryAnalysis.parse({ interval: '10s', ...fields });
  expect([countSteps(analysis), leastSeconds(analysis)]).toEqual([steps, seconds]);
});
