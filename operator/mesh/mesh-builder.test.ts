import { describe, expect, test } from '@jest/globals';
import type { Canary } from '../../api/canary.ts';
import { emptySnapshot } from './drafts.ts';
import { MeshBuilder } from './mesh-builder.ts';
import { pod, SETTINGS, service } from './testing/objects.ts';

const web = pod('web', { labels: { app: 'web' } });

describe('MeshBuilder', () => {
  test('begins with nothing', () => {
    const { snapshot } = new MeshBuilder(SETTINGS);
    expect(snapshot).toEqual(emptySnapshot(SETTINGS));
  });

  test('gives the same snapshot again when an event changes nothing that it reads', () => {
    const builder = new MeshBuilder(SETTINGS);
    const { snapshot } = builder.apply([{ kind: 'Pod', key: 'shop/web', object: web }]);
    const noted = {
      ...web,
      metadata: { ...web.metadata, resourceVersion: '2', annotations: { ...web.metadata?.annotations, x: 'y' } },
    };
    const update = builder.apply([{ kind: 'Pod', key: 'shop/web', object: noted }]);
    expect(update.snapshot).toBe(snapshot);
    expect(update.delta.workloads.size).toBe(0);
  });

  test('shares all that did not change with the snapshot before', () => {
    const builder = new MeshBuilder(SETTINGS);
    const before = builder.apply([
      { kind: 'Pod', key: 'shop/web', object: web },
      { kind: 'Service', key: 'shop/a', object: service('a', { app: 'a' }) },
    ]).snapshot;
    const after = builder.apply([{ kind: 'Service', key: 'shop/b', object: service('b', { app: 'b' }) }]).snapshot;
    expect(before.services.size).toBe(1);
    expect(after.services.size).toBe(2);
    expect(after.workloads).toBe(before.workloads);
    expect(after.services.get('a.shop.svc.cluster.local')).toBe(before.services.get('a.shop.svc.cluster.local'));
  });

  test('names an object that it cannot read, and takes in all others', () => {
    const broken = {
      apiVersion: 'heddle.dev/v1alpha1',
      kind: 'Canary',
      metadata: { name: 'c', namespace: 'shop' },
    } as Canary;
    const { snapshot, unreadable } = new MeshBuilder(SETTINGS).apply([
      { kind: 'Canary', key: 'shop/c', object: broken },
      { kind: 'Pod', key: 'shop/web', object: web },
    ]);
    expect(unreadable).toMatchObject([{ kind: 'Canary', key: 'shop/c' }]);
    expect(snapshot.workloads.size).toBe(1);
  });
});
