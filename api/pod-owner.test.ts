import { describe, expect, test } from '@jest/globals';
import { matchOwner } from './pod-owner.ts';

/** The owner of a pod with a controller and labels. */
function ownerOf(kind: string, name: string, labels: Record<string, string> = {}) {
  const controller = { apiVersion: 'v1', kind, name, uid: 'u', controller: true };
  return matchOwner({ metadata: { name: 'pod', labels, ownerReferences: [controller] } });
}

describe('a pod belongs to', () => {
  test.each<[string, ReturnType<typeof ownerOf>, { kind: string; name: string }]>([
    [
      'the Deployment behind its ReplicaSet',
      ownerOf('ReplicaSet', 'orders-7c9', { 'pod-template-hash': '7c9' }),
      { kind: 'Deployment', name: 'orders' },
    ],
    [
      'the Rollout behind its ReplicaSet',
      ownerOf('ReplicaSet', 'orders-7c9', { 'rollouts-pod-template-hash': '7c9' }),
      { kind: 'Rollout', name: 'orders' },
    ],
    ['a ReplicaSet of nobody', ownerOf('ReplicaSet', 'orders-7c9'), { kind: 'ReplicaSet', name: 'orders-7c9' }],
    ['the CronJob behind its Job', ownerOf('Job', 'tidy-28861200'), { kind: 'CronJob', name: 'tidy' }],
    ['a Job of nobody', ownerOf('Job', 'tidy'), { kind: 'Job', name: 'tidy' }],
    ['its StatefulSet', ownerOf('StatefulSet', 'db'), { kind: 'StatefulSet', name: 'db' }],
  ])('%s', (_, owner, wanted) => {
    expect(owner).toEqual(wanted);
  });

  test('itself, without a controller', () => {
    expect(matchOwner({ metadata: { name: 'pod' } })).toEqual({ kind: 'Pod', name: 'pod' });
  });
});
