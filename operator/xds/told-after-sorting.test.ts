import { expect, test } from '@jest/globals';
import type { MeshObject } from '../mesh/mesh-object.ts';
import { destinationRule, pod, SETTINGS, service, virtualService } from '../mesh/testing/objects.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, VIRTUAL_HOST_TYPE } from './resource.ts';
import { MeshCache } from './testing/mesh-cache.ts';
import { proxyOf } from './testing/mesh-fixture.ts';

const SHOP = proxyOf('w0');
const BANK = proxyOf('w1', 'bank');
const TCP_LISTENER = 'outbound|90';

const named = (name: string, address: string, port: object): MeshObject => ({
  kind: 'Service',
  object: service(name, {}, { clusterIP: address, ports: [port as { port: number }] }),
});
const routes = (name: string, spec: object): MeshObject => ({
  kind: 'VirtualService',
  object: virtualService(`shop/${name}`, { exportTo: ['.'], ...spec }),
});
const tcpTo = (host: string): MeshObject =>
  routes('tcp', { hosts: ['db'], tcp: [{ route: [{ destination: { host, port: { number: 90 } } }] }] });

const BASE: readonly MeshObject[] = [
  { kind: 'Pod', object: pod('web', { uid: 'w0' }) },
  { kind: 'Pod', object: pod('teller', { uid: 'w1', namespace: 'bank' }) },
  named('web', '10.96.0.1', { name: 'http', port: 80 }),
  named('db', '10.96.0.2', { name: 'tcp', port: 90 }),
  named('other', '10.96.0.3', { name: 'tcp', port: 90 }),
];

function start() {
  const mesh = new MeshCache(SETTINGS);
  const { cache } = mesh;
  const told = new Set<string>();
  cache.onChange((change) => {
    for (const [typeUrl, names] of change.affected(SHOP) ?? [])
      for (const name of names) told.add(`${typeUrl} ${name}`);
  });
  return { mesh, cache, told };
}

test('a client hears of a listener that others alone have looked at since all were sorted anew', () => {
  const { mesh, cache, told } = start();
  mesh.put(...BASE);
  for (const proxy of [SHOP, BANK]) cache.wildcard(proxy, LISTENER_TYPE);
  const before = cache.lookup(SHOP, LISTENER_TYPE, TCP_LISTENER)?.version;
  // Whose namespace is whose matters from now on. Nothing of port 90 differs, so nobody looks at it again but one who joins.
  mesh.put(routes('http', { hosts: ['web'], http: [{ timeout: '1s', route: [{ destination: { host: 'web' } }] }] }));
  cache.lookup(BANK, LISTENER_TYPE, TCP_LISTENER);
  told.clear();
  mesh.put(tcpTo('other'));
  expect(cache.lookup(SHOP, LISTENER_TYPE, TCP_LISTENER)?.version).not.toBe(before);
  expect([...told]).toContain(`${LISTENER_TYPE} ${TCP_LISTENER}`);
});

test('a client that becomes another hears of clusters that nobody has looked at yet', () => {
  const { mesh, cache, told } = start();
  const subsets = { host: 'web', workloadSelector: { matchLabels: { app: 'ui' } }, subsets: [{ name: 'v1' }] };
  mesh.put(...BASE, { kind: 'DestinationRule', object: destinationRule('shop/web', subsets) });
  cache.wildcard(SHOP, CLUSTER_TYPE);
  mesh.put({ kind: 'Pod', object: pod('web', { uid: 'w0', labels: { app: 'ui' } }) });
  const subset = 'outbound|80|v1|web.shop.svc.cluster.local';
  expect([...told]).toContain(`${CLUSTER_TYPE} ${subset}`);
  expect(cache.lookup(SHOP, CLUSTER_TYPE, subset)).toBeDefined();
});

test('clients who see what an ExternalName stands for share no virtual host with those who do not', () => {
  const { mesh, cache } = start();
  mesh.put(
    ...BASE,
    {
      kind: 'Service',
      object: service('alias', {}, { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
    },
    {
      kind: 'VirtualService',
      object: virtualService('shop/all', {
        hosts: ['everywhere.example.com'],
        http: [{ route: [{ destination: { host: 'alias' } }] }],
      }),
    },
  );
  const name = '80/everywhere.example.com';
  const seen = cache.lookup(SHOP, VIRTUAL_HOST_TYPE, name)?.version;
  const hidden = service('web', {}, { clusterIP: '10.96.0.1', ports: [{ name: 'http', port: 80 }] });
  hidden.metadata = { ...hidden.metadata, annotations: { 'networking.istio.io/exportTo': '.' } };
  mesh.put({ kind: 'Service', object: hidden });
  expect(cache.lookup(SHOP, VIRTUAL_HOST_TYPE, name)?.version).toBe(seen);
  expect(cache.lookup(BANK, VIRTUAL_HOST_TYPE, name)?.version).not.toBe(seen);
});
