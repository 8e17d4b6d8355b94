import { describe, expect, test } from '@jest/globals';
import { readNode } from '../mesh/node.ts';
import { trimNode } from './cluster-stores.ts';

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

  test('keeps nothing of a heartbeat but the version', () => {
    const [before, after] = [trimNode(node('True')), trimNode(node('True', '2026-01-01T00:05:00Z', '2'))];
    expect(after.status).toEqual(before.status);
    expect(readNode(after)).toEqual(readNode(before));
  });
});
