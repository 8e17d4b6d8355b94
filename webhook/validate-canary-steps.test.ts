import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { type CanarySpec, canarySpec } from '../api/canary.ts';
import { validateCanary } from './validate-canary.ts';
import { canaryWarnings } from './validate-canary-steps.ts';

type Fields = Record<string, unknown>;
const canary = (analysis: Fields, spec: Fields = {}): object => ({
  targetRef: { kind: 'Deployment', name: 'ordering' },
  analysis: { interval: '10s', ...analysis },
  ...spec,
});
const header = { headers: { 'x-beta': { exact: 'yes' } } };
const cookie = (more: Fields = {}): Fields => ({ stepWeight: 5, sessionAffinity: { cookieName: 'seen', ...more } });

describe('the strategy of a Canary', () => {
  test.each<[string, Fields]>([
    ['blue/green', { iterations: 10 }],
    ['blue/green with copies', { iterations: 10, mirror: true, mirrorWeight: 20 }],
    ['an A/B test', { iterations: 10, match: [header, { cookies: { beta: { regex: '[0-9]+' } } }] }],
    ['a match by who calls', { iterations: 1, match: [{ sourceLabels: { app: 'web' } }] }],
    ['durations of steps', { stepWeights: [5, 50], stepDurations: ['1m', '10m'] }],
    ['an affinity', cookie({ domain: 'shop.example', sameSite: 'None', secure: true, partitioned: true })],
    ['stickiness', { stepWeight: 5, stickiness: { header: 'x-user' } }],
    ['stickiness by who calls', { stepWeight: 5, stickiness: { principal: true } }],
    ['a surge of pods', { stepWeight: 5, surge: 2 }],
    ['a worker', { stepWeight: 5, surge: '50%', traffic: 'None' }],
  ])('may be %s', (_, analysis) => {
    expect(validateCanary(canary(analysis))).toEqual([]);
  });

  test.each<[string, Fields, string]>([
    ['a match without iterations', { stepWeight: 5, match: [header] }, 'spec.analysis: match needs iterations'],
    ['iterations beside weights', { stepWeight: 5, iterations: 2 }, 'spec.analysis: give exactly one of'],
    ['no match', { iterations: 2, match: [] }, 'spec.analysis.match: '],
    ['a match of nothing', { iterations: 2, match: [{}] }, 'spec.analysis.match[0]: '],
    ['a match of no header', { iterations: 2, match: [{ headers: {} }] }, 'spec.analysis.match[0]: matches every'],
    [
      'an expression that is none',
      { iterations: 2, match: [{ headers: { a: { regex: '(' } } }] },
      'spec.analysis.match[0].headers.a.regex: ',
    ],
    [
      'a look-behind, which RE2 has not',
      { iterations: 2, match: [{ cookies: { a: { regex: '(?<!b)c' } } }] },
      'spec.analysis.match[0].cookies.a.regex: ',
    ],
    [
      'two kinds of match in one',
      { iterations: 2, match: [{ headers: { a: { exact: 'b', prefix: 'c' } } }] },
      'spec.analysis.match[0].headers.a: ',
    ],
    [
      'a cookie that is just there',
      { iterations: 2, match: [{ cookies: { a: {} } }] },
      'spec.analysis.match[0].cookies.a: must have one of',
    ],
    [
      'a header that is none',
      { iterations: 2, match: [{ headers: { 'a b': {} } }] },
      'spec.analysis.match[0].headers.a b: must be a name',
    ],
    [
      'a label that is none',
      { iterations: 2, match: [{ sourceLabels: { app: 'a b' } }] },
      'spec.analysis.match[0].sourceLabels.',
    ],
    ['a part of the mirror without it', { stepWeight: 5, mirrorWeight: 5 }, 'spec.analysis: mirrorWeight needs mirror'],
    ['a maximum beside iterations', { iterations: 2, maxWeight: 50 }, 'spec.analysis.maxWeight: has no meaning'],
    ['a switch in steps', { iterations: 2, stepWeightPromotion: 50 }, 'spec.analysis.stepWeightPromotion: '],
    [
      'durations of other steps',
      { stepWeights: [5, 50], stepDurations: ['1m'] },
      'spec.analysis: stepDurations must have one entry for each',
    ],
    ['durations without a list', { stepWeight: 5, stepDurations: ['1m'] }, 'spec.analysis: stepDurations must'],
    [
      'a hasty step',
      { stepWeights: [5], stepDurations: ['10ms'] },
      'spec.analysis.stepDurations[0]: "10ms" is too short',
    ],
    ['an affinity of an A/B test', { ...cookie(), stepWeight: undefined, iterations: 2 }, 'spec.analysis: keep one of'],
    ['both kinds of affinity', { ...cookie(), stickiness: { header: 'a' } }, 'spec.analysis: keep one of'],
    ['stickiness by nothing', { stepWeight: 5, stickiness: {} }, 'spec.analysis.stickiness: give exactly one'],
    [
      'stickiness by nobody',
      { stepWeight: 5, stickiness: { principal: false } },
      'spec.analysis.stickiness: give exactly one',
    ],
    [
      'stickiness by two things',
      { stepWeight: 5, stickiness: { principal: true, header: 'a' } },
      'spec.analysis.stickiness: give exactly one',
    ],
    ['a cookie that browsers drop', cookie({ sameSite: 'None' }), 'spec.analysis.sessionAffinity: partitioned and'],
    ['one cookie for both sides', cookie({ primaryCookieName: 'seen' }), 'spec.analysis.sessionAffinity: primary'],
    ['a cookie with more in its name', cookie({ cookieName: 'a; b' }), 'spec.analysis.sessionAffinity.cookieName: '],
    ['a cookie with more in its path', cookie({ path: '/; x' }), 'spec.analysis.sessionAffinity.path: '],
    ['a cookie with more in its domain', cookie({ domain: 'a; x' }), 'spec.analysis.sessionAffinity.domain: '],
    ['a surge of nothing', { stepWeight: 5, surge: '0%' }, 'spec.analysis.surge: '],
    ['copies for a worker', { stepWeight: 5, mirror: true, traffic: 'None' }, 'spec.analysis: match, mirror,'],
    [
      'requests of a worker',
      { stepWeight: 5, traffic: 'None', metrics: [{ name: 'request-duration', thresholdRange: { max: 5 } }] },
      'spec.analysis.metrics[0].name: "request-duration" is of requests',
    ],
  ])('is refused for %s', (_, analysis, expected) => {
    expect(validateCanary(canary(analysis))[0]).toContain(expected);
  });
});

describe('a dubious strategy', () => {
  const warnings = (analysis: Fields, spec: Fields = {}): string[] =>
    canaryWarnings(canarySpec.parse(canary(analysis, spec)) as CanarySpec);

  test.each<[string, string[], string]>([
    [
      'a deadline that leaves pods no time',
      warnings({ iterations: 3 }, { progressDeadlineSeconds: 30 }),
      'spec.progressDeadlineSeconds: 30 leaves less than 60 s',
    ],
    [
      'steps that do not reach the maximum',
      warnings({ stepWeight: 20, maxWeight: 50 }),
      'spec.analysis.maxWeight: steps of 20 do not reach 50, so the last one is of 10',
    ],
    [
      'cookies that end before the analysis does',
      warnings({ ...cookie({ maxAge: 60 }), interval: '1m' }),
      'spec.analysis.sessionAffinity.maxAge: cookies live for 60 s',
    ],
    [
      'a metric of less than the time between two checks',
      warnings({ stepWeight: 10, metrics: [{ name: 'request-count', interval: '5s', thresholdRange: { min: 9 } }] }),
      'spec.analysis.metrics[0].interval: "5s" is shorter than spec.analysis.interval, so request-count is judged by all of the "10s"',
    ],
  ])('is warned of: %s', (_, given, expected) => {
    expect(given).toEqual([expect.stringContaining(expected)]);
  });

  test('is not, of a good one', () => {
    const template = { name: 'errors', interval: '5s', thresholdRange: { max: 1 }, templateRef: { name: 'errors' } };
    expect(warnings({ stepWeight: 10, maxWeight: 50, metrics: [template] })).toEqual([]);
  });
});

const SAMPLES = join(import.meta.dirname, '..', 'config', 'samples', 'canary');

test.each(readdirSync(SAMPLES))('the sample %s is valid, and nothing in it is dubious', (file) => {
  const objects = parseAllDocuments(readFileSync(join(SAMPLES, file), 'utf8')).map((document) => document.toJS());
  for (const { spec } of objects.filter(({ kind }) => kind === 'Canary')) {
    expect(validateCanary(spec)).toEqual([]);
    expect(canaryWarnings(canarySpec.parse(spec))).toEqual([]);
  }
});
