import { describe, expect, test } from '@jest/globals';
import type { ContainerStatus, Pod } from './objects.ts';
import { countPods, isEligible, isHeld, servingSince } from './pods.ts';

interface Shape {
  gates?: string[];
  conditions?: Record<string, string>;
  deleting?: boolean;
  containers?: ContainerStatus[];
  sidecar?: boolean;
}

const READY = { ContainersReady: 'True' };
const TIMES: Record<string, string> = { ContainersReady: '2026-01-01T00:00:01Z', Ready: '2026-01-01T00:00:09Z' };

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
      nodeName: 'node-1',
      readinessGates: gates.map((conditionType) => ({ conditionType })),
      initContainers: sidecar ? [{ name: 'istio-proxy' }] : [],
    },
    status: {
      phase: 'Running',
      conditions: Object.entries(conditions).map(([type, status]) => ({
        type,
        status,
        lastTransitionTime: TIMES[type] ?? '',
      })),
      containerStatuses: containers,
    },
  };
}

const wellNode = () => true;
const lostNode = () => false;

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
    expect(isEligible(given, wellNode)).toBe(eligible);
    expect(isHeld(given)).toBe(held);
  });
});

describe('a pod serves', () => {
  const open = { ...READY, Ready: 'True', 'heddle.dev/canary': 'True' };
  test.each([
    ['since it is Ready', pod({ gates: [], conditions: { ...READY, Ready: 'True' } }), 'Ready'],
    ['since it is Ready when its gate was opened', pod({ conditions: open }), 'Ready'],
    // Its Canary gives it a share of the requests: what it counts of them is waited for.
    ['since its containers are ready when our gate alone holds it', pod({}), 'ContainersReady'],
    ['not while the gate of somebody else holds it', pod({ gates: ['heddle.dev/canary', 'other'] }), undefined],
    ['not while it is not Ready', pod({ gates: [] }), undefined],
  ])('%s', (_, given, since) => {
    expect(servingSince(given, wellNode)).toBe(since && Date.parse(TIMES[since] ?? ''));
  });

  test('not on a lost node, though its containers were ready there', () => {
    expect(servingSince(pod({}), lostNode)).toBeUndefined();
  });
});

describe('pods of a revision', () => {
  test('are counted without those on their way out', () => {
    const pods = [pod({}), pod({ gates: [], sidecar: false }), pod({ deleting: true })];
    expect(countPods(pods, wellNode)).toMatchObject({
      total: 2,
      eligible: 2,
      ungated: 1,
      held: 1,
      injected: 1,
      restarts: 0,
    });
  });

  test('tell that they crash', () => {
    const counted = countPods([pod({ containers: [waiting('CrashLoopBackOff')] })], wellNode);
    expect(counted).toMatchObject({
      restarts: 2,
      broken: { reason: 'PodsCrash', message: expect.stringContaining('container app of pod ordering-1') },
    });
  });

  test.each(['ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'])(
    'tell that their image cannot be had: %s',
    (reason) => {
      const { broken } = countPods([pod({ containers: [waiting(reason)] })], wellNode);
      expect(broken).toEqual({ reason: 'ImagePull', message: expect.stringContaining(`(${reason})`) });
    },
  );

  test('tell why they do not come up', () => {
    const troubleOf = (shape: Shape) => countPods([pod(shape)], wellNode).trouble;
    expect(troubleOf({ containers: [waiting('ErrImagePull')] })).toMatch(/ErrImagePull/);
    expect(troubleOf({ containers: [waiting('ContainerCreating')] })).toBeUndefined();
    expect(troubleOf({ conditions: { PodScheduled: 'False' } })).toMatch(/finds no node/);
  });

  test('are no capacity on a lost node, whatever they last said of themselves, and tell it', () => {
    const counted = countPods([pod({}), pod({ gates: [] })], lostNode);
    expect(counted).toMatchObject({ total: 2, eligible: 0, held: 1 });
    expect(counted.trouble).toBe('pod ordering-1 is on node node-1, which is not ready');
  });
});
