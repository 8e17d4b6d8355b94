import { describe, expect, test } from '@jest/globals';
import { observationOf, specOf, targetOf } from '../observation.fixture.ts';
import type { TargetView } from '../observation.ts';
import { type Autoscaler, autoscalerCosts, trimAutoscaler } from './autoscaler.ts';

const by = (name: string) => ({ type: 'Resource', resource: { name } });
const external = { type: 'External', external: { metric: { name: 's0-queue' } } };

function autoscalerOf(metrics: object[], window?: number): Autoscaler {
  const behavior = window === undefined ? {} : { behavior: { scaleDown: { stabilizationWindowSeconds: window } } };
  const scaleTargetRef = { kind: 'Deployment', name: 'ordering' };
  return { metadata: { name: 'orders', namespace: 'shop' }, spec: { scaleTargetRef, metrics, ...behavior } };
}

/** With weights that no autoscaler minds, unless told. */
const costs = (
  autoscaler: Autoscaler | undefined,
  interval: string,
  more: Partial<TargetView> = {},
  analysis: object = { stepWeights: [4, 8] },
) => {
  const target = targetOf(more);
  return autoscalerCosts(target, observationOf(target, { autoscaler, spec: specOf({ interval, ...analysis }) }));
};

describe('an autoscaler', () => {
  test('by CPU is misled when the analysis is longer than it waits before it takes pods away', () => {
    expect(costs(autoscalerOf([by('cpu')]), '10m')).toEqual([
      expect.stringMatching(/^HorizontalPodAutoscaler orders .*after 300 s.*takes 1200 s or more.*Seconds to 2400$/),
    ]);
    expect(
      costs(autoscalerOf([{ type: 'ContainerResource', containerResource: { name: 'cpu' } }], 5), '10s'),
    ).toHaveLength(1);
  });

  test.each([
    ['where there is none', undefined, '10m', {}],
    ['by CPU when it waits for longer than the analysis takes', autoscalerOf([by('cpu')]), '10s', {}],
    ['by CPU when its window was made longer', autoscalerOf([by('cpu')], 3600), '10m', {}],
    ['of KEDA by a queue, whose length no held pod alters', autoscalerOf([external]), '10m', {}],
    ['by CPU where new pods take the places of old ones', autoscalerOf([by('cpu')]), '10m', { takesOut: 1 }],
  ])('is not misled %s', (_, autoscaler, interval, more) => {
    expect(costs(autoscaler, interval, more)).toEqual([]);
  });

  const idle = 'HorizontalPodAutoscaler orders takes held pods for idle when it scales up by CPU: at';
  const steps = (...stepWeights: readonly number[]) => ({ stepWeights });
  test.each<[object, string]>([
    [steps(5, 50), `${idle} 50 % of the requests all run at 2.0 times its target before it adds any; give it a metric`],
    [steps(20), `${idle} 20 % of the requests all run at 1.3 times its target`],
    [steps(5, 100), `${idle} 100 % of the requests it adds none, however busy they are; give it`],
    [{ ...steps(50), surge: '100%' }, `${idle} 50 % of the requests all run at 2.0 times its target`],
  ])('by CPU adds late for %j, and says what to do', (analysis, said) => {
    expect(costs(autoscalerOf([by('cpu')]), '10s', {}, analysis)).toEqual([expect.stringContaining(said)]);
  });

  test.each<[string, object[], object]>([
    ['within what Kubernetes lets pass anyway', [by('cpu')], steps(5, 9)],
    ['of pods that wait for a queue all the same', [by('cpu')], { ...steps(50), traffic: 'None' }],
    ['of blue/green, which gets no requests before the switch', [by('cpu')], { stepWeights: undefined, iterations: 2 }],
    ['by requests', [external], steps(5, 80)],
    ['by requests beside CPU, for the highest of both counts', [by('cpu'), external], steps(5, 80)],
  ])('does not add late: %s', (_, metrics, analysis) => {
    expect(costs(autoscalerOf(metrics), '10s', {}, analysis)).toEqual([]);
  });

  test('by memory counts held pods', () => {
    expect(costs(autoscalerOf([by('memory')]), '10s')).toEqual([
      expect.stringContaining('counts the memory of held pods'),
    ]);
  });

  test('is kept without its status, which changes every few seconds', () => {
    const whole = { ...autoscalerOf([by('cpu')]), status: { currentReplicas: 4 } };
    expect(trimAutoscaler(whole)).not.toHaveProperty('status');
    expect(trimAutoscaler(whole).spec).toMatchObject({ metrics: [by('cpu')] });
  });
});
