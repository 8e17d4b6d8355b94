import { describe, expect, test } from '@jest/globals';
import type { AdmissionRequest } from './review.ts';
import { validateObject } from './validate.ts';
import { validateCanary } from './validate-canary.ts';
import { validatePeerAuthentication } from './validate-peer-authentication.ts';

type Fields = Record<string, unknown>;
const analysis = { interval: '10s', stepWeight: 5 };
const canary = (change: Fields = {}, spec: Fields = {}) => ({
  targetRef: { kind: 'Deployment', name: 'ordering' },
  analysis: { ...analysis, ...change },
  ...spec,
});
const metrics = (thresholdRange: Fields, name = 'request-success-rate') => ({ metrics: [{ name, thresholdRange }] });

describe('validateCanary', () => {
  test.each([
    ['steps of equal size', canary({ maxWeight: 50, ...metrics({ min: 99 }) })],
    ['a list of steps', canary({ stepWeight: undefined, stepWeights: [5, 50, 100] })],
    ['a latency above 100', canary(metrics({ max: 500 }, 'request-duration'))],
    [
      'comparisons with the stable revision',
      canary({
        confidence: 99.9,
        metrics: [
          { name: 'request-success-rate', comparedToStable: { maxDecrease: 0.5 } },
          { name: 'request-duration', percentile: 95, comparedToStable: { maxIncrease: 20 } },
        ],
      }),
    ],
    [
      'what pods use, of more than a request as well',
      canary({
        metrics: [
          { name: 'cpu-usage', thresholdRange: { max: 150 }, comparedToStable: { maxIncrease: 50 } },
          { name: 'memory-usage', comparedToStable: { maxIncrease: 0 } },
        ],
      }),
    ],
  ])('accepts %s', (_, spec) => {
    expect(validateCanary(spec)).toEqual([]);
  });

  test.each([
    ['an only pod of a Deployment', canary({}, { takeOnlyPod: true }), 'spec.takeOnlyPod: '],
    ['no analysis', { targetRef: { kind: 'Deployment', name: 'a' } }, 'spec.analysis: '],
    ['CPU that must be used', canary(metrics({ min: 10 }, 'cpu-usage')), 'spec.analysis.metrics[0]: '],
    ['memory below zero', canary(metrics({ max: -1 }, 'memory-usage')), 'spec.analysis.metrics[0].thresholdRange: '],
    [
      'a decrease of memory',
      canary({ metrics: [{ name: 'memory-usage', comparedToStable: { maxDecrease: 5 } }] }),
      'spec.analysis.metrics[0]: ',
    ],
    ['a weight over 100', canary({ stepWeight: 101 }), 'spec.analysis.stepWeight: '],
    ['a weight of zero', canary({ stepWeight: 0 }), 'spec.analysis.stepWeight: '],
    [
      'a weight over 100 in the list',
      canary({ stepWeight: undefined, stepWeights: [5, 101] }),
      'spec.analysis.stepWeights[1]: ',
    ],
    [
      'falling weights',
      canary({ stepWeight: undefined, stepWeights: [5, 50, 50] }),
      'spec.analysis.stepWeights[2]: 50 stands there twice',
    ],
    [
      'neither kind of steps',
      canary({ stepWeight: undefined }),
      'spec.analysis: give exactly one of iterations, stepWeight and stepWeights',
    ],
    ['both kinds of steps', canary({ stepWeights: [5] }), 'spec.analysis: give exactly one'],
    [
      'maxWeight beside a list',
      canary({ stepWeight: undefined, stepWeights: [5], maxWeight: 50 }),
      'spec.analysis.maxWeight: has no meaning',
    ],
    [
      'a maxWeight below the first step',
      canary({ stepWeight: 20, maxWeight: 10 }),
      'spec.analysis: stepWeight must not be above maxWeight',
    ],
    ['a hasty interval', canary({ interval: '500ms' }), 'spec.analysis.interval: "500ms" is too short'],
    [
      'falling weights',
      canary({ stepWeight: undefined, stepWeights: [50, 5] }),
      'spec.analysis: stepWeights must rise',
    ],
    ['a negative interval', canary({ interval: '-10s' }), 'spec.analysis.interval: must be a positive duration'],
    ['an interval of zero', canary({ interval: '0s' }), 'spec.analysis.interval: must be a positive duration'],
    [
      'an interval beyond the deadline',
      canary({ interval: '20m' }),
      'is longer than spec.progressDeadlineSeconds (600)',
    ],
    ['an empty range', canary(metrics({})), 'spec.analysis.metrics[0].thresholdRange: give min, max or both'],
    [
      'a range upside down',
      canary(metrics({ min: 5, max: 1 }, 'request-duration')),
      'spec.analysis.metrics[0].thresholdRange: min must not be above max',
    ],
    ['a success rate over 100', canary(metrics({ min: 101 })), 'a success rate is a percentage'],
    [
      'a metric it does not know',
      canary(metrics({ min: 1 }, 'colour')),
      'spec.analysis.metrics[0]: name must be one of ',
    ],
    [
      'a comparison that would forbid an improvement',
      canary({ metrics: [{ name: 'request-success-rate', comparedToStable: { maxIncrease: 1 } }] }),
      'spec.analysis.metrics[0]: comparedToStable of request-success-rate takes maxDecrease',
    ],
    [
      'a metric without a bound',
      canary({ metrics: [{ name: 'request-count' }] }),
      'spec.analysis.metrics[0]: give thresholdRange, comparedToStable or both',
    ],
    [
      'a percentile of a rate',
      canary({ metrics: [{ name: 'request-success-rate', percentile: 90, thresholdRange: { min: 99 } }] }),
      'spec.analysis.metrics[0]: percentile is for request-duration',
    ],
    [
      'a deadline for what waits for ever',
      canary({ noTrafficPolicy: 'Wait', noTrafficDeadline: '5m' }),
      'spec.analysis: noTrafficDeadline has no meaning with noTrafficPolicy Wait',
    ],
    [
      'a deadline before the first check',
      canary({ noTrafficDeadline: '5s' }),
      'spec.analysis.noTrafficDeadline: "5s" is shorter than the interval',
    ],
    ['a kind it does not know', canary({}, { targetRef: { kind: 'Pod', name: 'a' } }), 'spec.targetRef.kind: '],
    [
      'another API group',
      canary({}, { targetRef: { apiVersion: 'v1', kind: 'Deployment', name: 'a' } }),
      'write apps/v1',
    ],
  ])('refuses %s and names the field', (_, spec, expected) => {
    const problems = validateCanary(spec);
    expect(problems[0]).toContain(expected);
  });
});

describe('validatePeerAuthentication', () => {
  const selector = { matchLabels: { app: 'shop' } };
  test.each([
    ['an empty one', undefined],
    ['a mode', { mtls: { mode: 'STRICT' } }],
    ['ports of a workload', { selector, portLevelMtls: { '8080': { mode: 'DISABLE' } } }],
  ])('accepts %s', (_, spec) => {
    expect(validatePeerAuthentication(spec)).toEqual([]);
  });

  test.each([
    ['an unknown mode', { mtls: { mode: 'MAYBE' } }, 'spec.mtls.mode: '],
    [
      'ports without a selector',
      { portLevelMtls: { '80': { mode: 'STRICT' } } },
      'spec: portLevelMtls requires selector',
    ],
    [
      'a port that is none',
      { selector, portLevelMtls: { web: { mode: 'STRICT' } } },
      'spec.portLevelMtls: port must be between 1-65535',
    ],
    ['a label that no pod has', { selector: { matchLabels: { app: 'shop*' } } }, 'spec.selector.matchLabels[app]: '],
  ])('refuses %s', (_, spec, expected) => {
    expect(validatePeerAuthentication(spec)).toEqual([expect.stringContaining(expected)]);
  });
});

describe('validateObject', () => {
  const cluster = {
    isOurs: () => true,
    judgeTarget: async () => ['the target is missing'],
    findCanary: () => undefined,
  };
  const request = (
    kind: string,
    group: string,
    object: Fields | undefined,
    operation: AdmissionRequest['operation'] = 'CREATE',
  ) => ({
    uid: 'u',
    kind: { group, version: 'v1', kind },
    operation,
    name: 'n',
    namespace: 'shop',
    object,
  });

  test.each([
    ['canary', { selector: { app: 'a' } }, undefined],
    ['stable', { selector: { app: 'a' } }, undefined],
    [undefined, {}, undefined],
    [
      'new',
      { selector: { app: 'a' } },
      'Service shop/n: metadata.annotations[canary.heddle.dev/side]: "new" is no side',
    ],
    ['', { selector: { app: 'a' } }, '"" is no side; write canary or stable'],
    ['canary', {}, 'a Service that has no selector has no pods'],
    ['stable', { type: 'ExternalName', selector: { app: 'a' } }, 'a Service that is of type ExternalName'],
  ])('judges a Service that is to be the address of the side %s, with spec %j', async (side, spec, refusal) => {
    const annotations = side === undefined ? {} : { 'canary.heddle.dev/side': side };
    const answer = await validateObject(request('Service', '', { metadata: { annotations }, spec }), cluster);
    expect(answer).toEqual(refusal === undefined ? {} : { refusal: expect.stringContaining(refusal) });
  });

  test('warns of a missing target and refuses nothing for it', async () => {
    const answer = await validateObject(request('Canary', 'heddle.dev', { spec: canary() }), cluster);
    expect(answer).toEqual({ warnings: ['the target is missing'] });
  });

  test('refuses with kind, name and every problem', async () => {
    const answer = await validateObject(
      request('Canary', 'heddle.dev', { spec: canary({ interval: '0s', stepWeight: 20, maxWeight: 5 }) }),
      cluster,
    );
    expect(answer.refusal).toMatch(/^Canary shop\/n: spec\.analysis\.interval: .*; spec\.analysis: stepWeight/);
  });

  test.each<[string, AdmissionRequest, boolean]>([
    [
      'a PeerAuthentication in a namespace of others',
      request('PeerAuthentication', 'security.istio.io', { spec: { mtls: { mode: 'X' } } }),
      false,
    ],
    [
      'an object that is being deleted',
      request('Canary', 'heddle.dev', { metadata: { deletionTimestamp: 'x' }, spec: {} }),
      true,
    ],
    ['a deletion', request('Canary', 'heddle.dev', undefined, 'DELETE'), true],
    ['kinds that are not ours', request('Gateway', 'networking.istio.io', { spec: {} }), true],
  ])('lets pass %s', async (_, given, ours) => {
    expect(await validateObject(given, { ...cluster, isOurs: () => ours })).toEqual({});
  });
});
