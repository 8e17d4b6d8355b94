import { describe, expect, test } from '@jest/globals';
import { readNode } from '../mesh/node.ts';
import { pod } from '../mesh/testing/objects.ts';
import { restOfPod, restOfReplicaSet, trimNode } from './cluster-stores.ts';

const node = (ready: string, heartbeat = '2026-01-01T00:00:00Z', version = '1') => ({
  metadata: {
    name: 'node-1',
    uid: 'uid',
    resourceVersion: version,
    labels: { 'topology.kubernetes.io/zone': 'a' },
    annotations: { big: 'one' },
  },
  status: {
    images: [{ names: ['one'] }],
    conditions: [
      { type: 'MemoryPressure', status: 'False' },
      { type: 'Ready', status: ready, lastHeartbeatTime: new Date(heartbeat), reason: 'KubeletReady' },
    ],
  },
});

describe('a node in its store', () => {
  test.each([
    ['True', true],
    ['False', false],
    ['Unknown', false],
  ])('tells the mesh that it is %s', (status, ready) => {
    expect(readNode(trimNode(node(status)))).toMatchObject({ name: 'node-1', locality: { zone: 'a' }, ready });
  });

  test('keeps its addresses and the ranges of its pods', () => {
    const addresses = [{ type: 'InternalIP', address: '192.0.2.1' }];
    const { spec, status } = trimNode({
      ...node('True'),
      spec: { podCIDRs: ['10.0.1.0/24'], taints: [{ key: 'a', effect: 'NoSchedule' }] },
      status: { ...node('True').status, addresses },
    });
    expect([spec, status?.addresses]).toEqual([{ podCIDRs: ['10.0.1.0/24'] }, addresses]);
  });

  test('keeps nothing of a heartbeat but the version', () => {
    const [before, after] = [trimNode(node('True')), trimNode(node('True', '2026-01-01T00:05:00Z', '2'))];
    expect(after.status).toEqual(before.status);
    expect(readNode(after)).toEqual(readNode(before));
  });
});

describe('what is kept of a namespace that is not discovered', () => {
  test('of a pod, whose its addresses are', () => {
    const made = pod('app', { injected: false, address: '10.0.0.7', labels: { app: 'a' } });
    const { metadata, spec, status } = restOfPod({ ...made, apiVersion: 'v1', kind: 'Pod' } as Parameters<
      typeof restOfPod
    >[0]);
    expect(metadata).toEqual({ name: 'app', namespace: 'shop', uid: made.metadata?.uid });
    expect(spec).toEqual({});
    expect(status).toMatchObject({ podIPs: [{ ip: '10.0.0.7' }] });
    expect(status).not.toHaveProperty('conditions');
  });

  test('a pod with our sidecar, whole', () => {
    const made = pod('app') as Parameters<typeof restOfPod>[0];
    expect(restOfPod(made)).toBe(made);
  });

  test.each([
    [{ spec: { replicas: 0 }, status: { replicas: 0 } }, false],
    [{ spec: { replicas: 0 }, status: { replicas: 1 } }, true],
    [{ spec: { replicas: 2 } }, true],
    [{ spec: {} }, true],
  ])('a ReplicaSet %j: %s', (replicaSet, kept) => {
    expect(restOfReplicaSet(replicaSet) === replicaSet).toBe(kept);
  });
});
