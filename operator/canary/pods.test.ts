import { describe, expect, test } from '@jest/globals';
import type { ContainerStatus, Pod } from './objects.ts';
import { countPods, isEligible, isHeld } from './pods.ts';

interface Shape {
  gates?: string[];
  conditions?: Record<string, string>;
  deleting?: boolean;
  containers?: ContainerStatus[];
  sidecar?: boolean;
}

const READY = { ContainersReady: 'True' };

function pod({
  gates = ['heddle.dev/canary'],
  conditions = READY,
  deleting = false,
  containers = [],
  sidecar = true,
}: Shape): Pod {
  return {
    metadata: { name: 'ordering-1', ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: {
      readinessGates: gates.map((conditionType) => ({ conditionType })),
      initContainers: sidecar ? [{ name: 'istio-proxy' }] : [],
    },
    status: {
      phase: 'Running',
      conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })),
      containerStatuses: containers,
    },
  };
}

const waiting = (reason: string): ContainerStatus => ({ name: 'app', restartCount: 2, state: { waiting: { reason } } });

describe('a pod', () => {
  test.each([
    ['held by our gate alone could serve', pod({}), true, true],
    ['whose gate is open serves', pod({ conditions: { ...READY, 'heddle.dev/canary': 'True' } }), true, false],
    ['whose containers are not ready could not', pod({ conditions: {} }), false, true],
    ['held by the gate of somebody else could not', pod({ gates: ['heddle.dev/canary', 'other'] }), false, true],
    ['on its way out could not', pod({ deleting: true }), false, true],
    ['without gates serves', pod({ gates: [] }), true, false],
  ])('%s', (_, given, eligible, held) => {
    expect(isEligible(given)).toBe(eligible);
    expect(isHeld(given)).toBe(held);
  });
});

describe('pods of a revision', () => {
  test('are counted without those on their way out', () => {
    const pods = [pod({}), pod({ gates: [], sidecar: false }), pod({ deleting: true })];
    expect(countPods(pods)).toMatchObject({ total: 2, eligible: 2, ungated: 1, held: 1, injected: 1, restarts: 0 });
  });

  test('tell that they crash', () => {
    const counted = countPods([pod({ containers: [waiting('CrashLoopBackOff')] })]);
    expect(counted).toMatchObject({
      restarts: 2,
      crashing: expect.stringContaining('container app of pod ordering-1'),
    });
  });

  test('tell why they do not come up', () => {
    expect(countPods([pod({ containers: [waiting('ImagePullBackOff')] })]).trouble).toMatch(/ImagePullBackOff/);
    expect(countPods([pod({ containers: [waiting('ContainerCreating')] })]).trouble).toBeUndefined();
    expect(countPods([pod({ conditions: { PodScheduled: 'False' } })]).trouble).toMatch(/finds no node/);
  });
});
