import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import type { Canary } from '../api/canary.ts';
import type { CanaryStatus } from '../api/canary-status.ts';
import { canaryTargets, isGated } from './canary-gate.ts';

const READY = { type: 'TargetReady', status: 'True', reason: 'Prepared', message: '', lastTransitionTime: '' } as const;

function canary(status: CanaryStatus | undefined, metadata: Partial<Canary['metadata']> = {}): Canary {
  const spec = { targetRef: { kind: 'Deployment', name: 'ordering' } } as Canary['spec'];
  const base = {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'Canary',
    metadata: { name: 'c', namespace: 'shop', ...metadata },
    spec,
  };
  return status ? { ...base, status } : base;
}

function pod(kind: string, name: string, revision = 'new1'): V1Pod {
  const owner = { apiVersion: 'apps/v1', kind, name, uid: 'u', controller: true };
  return {
    metadata: { generateName: `${name}-`, labels: { 'pod-template-hash': revision }, ownerReferences: [owner] },
  };
}

function gated(given: V1Pod, ...canaries: Canary[]): boolean {
  return isGated(given, 'shop', (target) => canaries.filter((each) => canaryTargets(each).includes(target)));
}

describe('isGated', () => {
  const released = canary({ ungatedRevisions: ['old1'], conditions: [READY] });

  test('holds back a revision that is not released', () => {
    expect(gated(pod('ReplicaSet', 'ordering-new1'), released)).toBe(true);
  });

  test.each(['StatefulSet', 'DaemonSet'] as const)('holds back a new revision of a %s', (kind) => {
    const ofKind = (revision: string): V1Pod => {
      const { metadata } = pod(kind, 'ordering');
      return { metadata: { ...metadata, labels: { 'controller-revision-hash': revision } } };
    };
    const target = { ...released, spec: { ...released.spec, targetRef: { ...released.spec.targetRef, kind } } };
    expect(gated(ofKind('new1'), target)).toBe(true);
    expect(gated(ofKind('old1'), target)).toBe(false);
    expect(gated(ofKind('new1'), released)).toBe(false);
  });

  test.each<[string, V1Pod, Canary[]]>([
    ['a released revision', pod('ReplicaSet', 'ordering-old1', 'old1'), [released]],
    ['pods without a Canary', pod('ReplicaSet', 'ordering-new1'), []],
    ['pods of another Deployment', pod('ReplicaSet', 'ordering-api-new1'), [released]],
    ['a ReplicaSet of nobody', pod('ReplicaSet', 'ordering', 'new1'), [released]],
    ['pods of other kinds', pod('StatefulSet', 'ordering'), [released]],
    ['pods of nobody', { metadata: { labels: { 'pod-template-hash': 'new1' } } }, [released]],
    ['a Canary whose status was lost', pod('ReplicaSet', 'ordering-new1'), [canary(undefined)]],
    [
      'a Canary that knows no released revision',
      pod('ReplicaSet', 'ordering-new1'),
      [canary({ ungatedRevisions: [], conditions: [READY] })],
    ],
    ['a target that is not prepared', pod('ReplicaSet', 'ordering-new1'), [canary({ ungatedRevisions: ['old1'] })]],
    [
      'a target that cannot be prepared',
      pod('ReplicaSet', 'ordering-new1'),
      [canary({ ungatedRevisions: ['old1'], conditions: [{ ...READY, status: 'False' }] })],
    ],
    [
      'a Canary that is being deleted',
      pod('ReplicaSet', 'ordering-new1'),
      [canary({ ungatedRevisions: ['old1'], conditions: [READY] }, { deletionTimestamp: '2026-01-01T00:00:00Z' })],
    ],
  ])('does not hold back %s', (_, given, canaries) => {
    expect(gated(given, ...canaries)).toBe(false);
  });
});
