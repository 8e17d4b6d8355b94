import { describe, expect, test } from '@jest/globals';
import { BORROWED_ANNOTATION } from '../api/borrowed-annotation.ts';
import { type CanarySpec, canarySpec } from '../api/canary.ts';
import { DAEMON_SET, DEPLOYMENT, STATEFUL_SET } from '../kube/kinds.ts';
import { KubeError } from '../kube/kube-error.ts';
import type { KubeObject } from '../kube/object.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { judgeTarget } from './canary-target.ts';

const KINDS = { Deployment: DEPLOYMENT, StatefulSet: STATEFUL_SET, DaemonSet: DAEMON_SET };

const canary = (kind: string, more: object = {}): CanarySpec =>
  canarySpec.parse({
    targetRef: { kind, name: 'ordering' },
    analysis: { interval: '30s', stepWeights: [10, 50] },
    ...more,
  });

type Case = [name: string, kind: keyof typeof KINDS, target: object, warning: RegExp | undefined, more?: object];

const daemon = (nodes: number, rollingUpdate: object = { maxSurge: 0, maxUnavailable: 1 }) => ({
  spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate } },
  status: { desiredNumberScheduled: nodes },
});

const stateful = (replicas: number, updateStrategy: object = { type: 'RollingUpdate' }, annotations = {}) => ({
  metadata: { annotations },
  spec: { replicas, updateStrategy },
});

/** @param fields their values of before */
const borrowed = (fields: object) => ({ metadata: { annotations: { [BORROWED_ANNOTATION]: JSON.stringify(fields) } } });

describe('of a target the webhook', () => {
  test.each<Case>([
    ['says nothing where it rolls', 'Deployment', { spec: { strategy: { type: 'RollingUpdate' } } }, undefined],
    [
      'warns where it stops the old revision first',
      'Deployment',
      { spec: { strategy: { type: 'Recreate' } } },
      /^spec\.targetRef: Deployment shop\/ordering has spec\.strategy\.type Recreate.*use RollingUpdate/,
    ],
    ['warns where it is paused', 'Deployment', { spec: { paused: true } }, /is paused.*kubectl rollout resume/],
    [
      'says nothing where the operator has paused it',
      'Deployment',
      { ...borrowed({ paused: false }), spec: { paused: true } },
      undefined,
    ],
    [
      'says nothing of a deadline that the operator has set',
      'Deployment',
      { ...borrowed({ progressDeadlineSeconds: 600 }), spec: { progressDeadlineSeconds: 1 } },
      undefined,
    ],
    [
      'says nothing of an OnDelete that the operator has set',
      'DaemonSet',
      {
        ...borrowed({ type: 'RollingUpdate' }),
        spec: { updateStrategy: { type: 'OnDelete' } },
        status: { desiredNumberScheduled: 3 },
      },
      undefined,
    ],
    [
      'warns where its deadline is shorter than the analysis',
      'Deployment',
      { spec: { progressDeadlineSeconds: 45 } },
      /spec\.progressDeadlineSeconds 45, and the analysis takes 60 s/,
    ],
    ['says nothing where its deadline is long', 'Deployment', { spec: { progressDeadlineSeconds: 90 } }, undefined],
    ['says nothing of a StatefulSet of three', 'StatefulSet', stateful(3), undefined],
    ['warns of OnDelete', 'StatefulSet', stateful(3, { type: 'OnDelete' }), /OnDelete.*use RollingUpdate/],
    [
      "warns of a user's partition",
      'StatefulSet',
      stateful(3, { rollingUpdate: { partition: 2 } }),
      /partition 2.*remove it/,
    ],
    [
      'says nothing of a partition that the operator has borrowed',
      'StatefulSet',
      stateful(3, { rollingUpdate: { partition: 2 } }, { 'canary.heddle.dev/borrowed': '{"partition":0}' }),
      undefined,
    ],
    ['warns of one pod', 'StatefulSet', stateful(1), /has one pod only.*spec\.takeOnlyPod/],
    [
      'warns of the outage that was opted for',
      'StatefulSet',
      stateful(1),
      /nothing of the stable one serves/,
      { takeOnlyPod: true },
    ],
    ['warns of a DaemonSet on one node', 'DaemonSet', daemon(1), /has one pod only/],
    ['says nothing of one that surges', 'DaemonSet', daemon(1, { maxSurge: 1, maxUnavailable: 0 }), undefined],
    ['says nothing of one on many nodes', 'DaemonSet', daemon(5), undefined],
  ])('%s', async (...[, kind, target, warning, more]: Case) => {
    const api = new MemoryApi();
    const { metadata = {} } = target as KubeObject;
    await api.create(KINDS[kind], { ...target, metadata: { ...metadata, name: 'ordering', namespace: 'shop' } });
    const said = await judgeTarget(api, 'shop', canary(kind, more));
    expect(said).toEqual(warning ? [expect.stringMatching(warning)] : []);
  });

  test('warns that it is missing, and says nothing when it may not look', async () => {
    const api = new MemoryApi();
    expect(await judgeTarget(api, 'shop', canary('StatefulSet'))).toEqual([
      'spec.targetRef: StatefulSet shop/ordering does not exist; the Canary waits until it does',
    ]);
    api.fail = () => new KubeError(403, 'Forbidden', 'no');
    expect(await judgeTarget(api, 'shop', canary('StatefulSet'))).toEqual([]);
  });
});
