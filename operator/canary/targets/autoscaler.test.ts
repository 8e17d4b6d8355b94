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

const costs = (autoscaler: Autoscaler | undefined, interval: string, more: Partial<TargetView> = {}) => {
  const target = targetOf(more);
  return autoscalerCosts(target, observationOf(target, { autoscaler, spec: specOf({ interval }) }));
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
