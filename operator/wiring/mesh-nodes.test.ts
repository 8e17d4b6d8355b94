import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { buildSnapshot, MeshBuilder } from '../mesh/mesh-builder.ts';
import type { MeshChange, MeshObject } from '../mesh/mesh-object.ts';
import { meshChanges } from '../mesh/testing/mesh-changes.ts';
import { pod, SETTINGS, service } from '../mesh/testing/objects.ts';
import { canonicalName, MeshNodes } from './mesh-nodes.ts';

const HOST = 'orders.shop.svc.cluster.local';
const ORDERS = 'spiffe://cluster.local/ns/shop/sa/orders';

const podOf = (name: string, labels: Record<string, string>, deployment = 'orders'): MeshObject => ({
  kind: 'Pod',
  object: pod(name, { uid: name, deployment, revision: 'r1', labels }),
});
const ORDERS_SERVICE: MeshObject = { kind: 'Service', object: service('orders', { app: 'orders' }) };

function nodesOf(...objects: MeshObject[]): MeshNodes {
  return new MeshNodes(buildSnapshot(SETTINGS, objects));
}

describe('nodes of the mesh', () => {
  test('are called as people call the workload', () => {
    const name = (labels: Record<string, string>) => canonicalName({ labels, owner: 'orders-v1', name: 'orders-v1-x' });
    expect(name({ 'service.istio.io/canonical-name': 'a', 'app.kubernetes.io/name': 'b', app: 'c' })).toBe('a');
    expect(name({ 'app.kubernetes.io/name': 'b', app: 'c' })).toBe('b');
    expect(name({ app: 'c' })).toBe('c');
    expect(name({})).toBe('orders-v1');
  });

  test('answer for a Service that selects their pods, whatever their versions', () => {
    const nodes = nodesOf(ORDERS_SERVICE, podOf('a', { app: 'orders' }), podOf('b', { app: 'orders', version: 'v2' }));
    expect(nodes.ofService(HOST, '', '')).toBe('shop/orders');
    expect(nodes.ofService(`*.${HOST}`, '', '')).toBe('shop/orders');
    expect([...(nodes.node('shop/orders')?.pods.keys() ?? [])]).toEqual(['a', 'b']);
    expect([nodes.ofPod('b'), nodes.ofPod('c')]).toEqual(['shop/orders', undefined]);
    expect([nodes.hasSidecars(ORDERS), nodes.hasSidecars(`${ORDERS}2`)]).toEqual([true, false]);
  });

  test('know which ports are declared opaque, also of single pods', () => {
    const ports = [
      { name: 'http', port: 80 },
      { name: 'tcp-db', port: 81 },
      { name: 'https', port: 82 },
      { name: 'any', port: 83 },
    ];
    const nodes = nodesOf({ kind: 'Service', object: service('orders', { app: 'orders' }, { ports }) });
    const opaque = (host: string) => [80, 81, 82, 83, 84].filter((port) => nodes.isTcp(host, port));
    expect([opaque(HOST), opaque(`*.${HOST}`), opaque('gone')]).toEqual([[81, 82], [81, 82], []]);
  });

  test('of several names behind one Service the identity tells which', () => {
    const named = (name: string) => ({ app: 'orders', 'service.istio.io/canonical-name': name });
    const nodes = nodesOf(ORDERS_SERVICE, podOf('a', named('one')), podOf('b', named('two'), 'second'));
    expect(nodes.ofService(HOST, ORDERS, '')).toBe('shop/one');
    expect(nodes.ofService(HOST, 'spiffe://cluster.local/ns/shop/sa/second', '')).toBe('shop/two');
    expect(nodes.ofService(HOST, '', '')).toBe(`host:${HOST}`);
    // The certificate says it even of those that share an identity.
    expect(nodes.ofService(HOST, ORDERS, 'shop/two')).toBe('shop/two');
    expect(nodes.ofService(HOST, ORDERS, 'shop/three')).toBe('shop/one');
  });

  test('are none where nothing of the mesh answers', () => {
    expect(nodesOf().ofService('api.example.com', '', '')).toBe('host:api.example.com');
    expect(nodesOf(ORDERS_SERVICE).ofService(HOST, '', '')).toBe(`host:${HOST}`);
  });

  test('go on to answer when all their pods are gone, until the Service is', () => {
    const builder = new MeshBuilder(SETTINGS);
    builder.apply([
      { kind: 'Service', key: 'shop/orders', object: service('orders', { app: 'orders' }) },
      { kind: 'Pod', key: 'shop/a', object: pod('a', { uid: 'a', labels: { app: 'orders' } }) },
    ]);
    const nodes = new MeshNodes(builder.snapshot);
    expect(nodes.ofService(HOST, '', '')).toBe('shop/orders');
    const change = (...changes: MeshChange[]) => {
      const { delta } = builder.apply(changes);
      nodes.update(builder.snapshot, delta);
    };
    change({ kind: 'Pod', key: 'shop/a', object: undefined });
    expect(nodes.ofService(HOST, '', '')).toBe('shop/orders');
    change({ kind: 'Service', key: 'shop/orders', object: undefined });
    expect(nodes.ofService(HOST, '', '')).toBe(`host:${HOST}`);
  });

  test('that follow the mesh are those of a mesh taken in at once', () => {
    fc.assert(
      fc.property(fc.array(fc.array(meshChanges, { maxLength: 5 }), { maxLength: 8 }), (rounds) => {
        const builder = new MeshBuilder(SETTINGS);
        const nodes = new MeshNodes(builder.snapshot);
        for (const changes of rounds) {
          const { delta } = builder.apply(changes);
          nodes.update(builder.snapshot, delta);
          for (const service of builder.snapshot.services.keys()) nodes.ofService(service, '', '');
        }
        const fresh = new MeshNodes(builder.snapshot);
        const listed = (of: MeshNodes) =>
          [...of.all()].map(({ id, pods }) => `${id}: ${[...pods.keys()].sort().join(' ')}`).sort();
        expect(listed(nodes)).toEqual(listed(fresh));
        for (const service of builder.snapshot.services.keys()) {
          const wanted = fresh.ofService(service, '', '');
          // One that answered before does so until the Service goes.
          if (!wanted.startsWith('host:')) expect(nodes.ofService(service, '', '')).toBe(wanted);
        }
        for (const { spiffeId } of builder.snapshot.workloads.values()) expect(nodes.hasSidecars(spiffeId)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
