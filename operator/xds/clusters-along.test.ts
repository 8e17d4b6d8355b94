import { expect, test } from '@jest/globals';
import { LOADING_ANNOTATION } from '../../api/pod-names.ts';
import type { VirtualServiceSpec } from '../../api/virtual-service.ts';
import type { MeshObject } from '../mesh/mesh-object.ts';
import { destinationRule, pod, SETTINGS, service, serviceEntry, virtualService } from '../mesh/testing/objects.ts';
import { CLUSTER_TYPE } from './resource.ts';
import { MeshCache } from './testing/mesh-cache.ts';
import { proxyOf } from './testing/mesh-fixture.ts';

const cluster = (host: string, port = 80, subset = '') => `outbound|${port}|${subset}|${host}.shop.svc.cluster.local`;
const LAZY = proxyOf('lazy');
const app = pod('web', { uid: 'lazy' });
app.metadata = { ...app.metadata, annotations: { ...app.metadata?.annotations, [LOADING_ANNOTATION]: 'on-demand' } };
const PORTS = [
  { name: 'http', port: 80 },
  { name: 'tcp', port: 90 },
];
const BASE: readonly MeshObject[] = [
  { kind: 'Pod', object: app },
  { kind: 'Pod', object: pod('eager', { uid: 'eager' }) },
  ...['a', 'b', 'c'].map((name, index): MeshObject => {
    return { kind: 'Service', object: service(name, {}, { clusterIP: `10.96.0.${index + 1}`, ports: PORTS }) };
  }),
  {
    kind: 'DestinationRule',
    object: destinationRule('shop/a', { host: 'a', subsets: [{ name: 'v1' }, { name: 'v2' }, { name: 'v3' }] }),
  },
];

/** What goes along with a cluster where there is a VirtualService. */
function alongWith(name: string, spec?: VirtualServiceSpec, ...more: readonly MeshObject[]): readonly string[] {
  const mesh = new MeshCache(SETTINGS);
  mesh.put(...BASE, ...more);
  if (spec !== undefined) mesh.put({ kind: 'VirtualService', object: virtualService('shop/rule', spec) });
  return mesh.cache.companions(LAZY, CLUSTER_TYPE, name);
}

const to = (host: string, subset?: string, weight?: number, port?: number) => ({
  destination: { host, ...(subset && { subset }), ...(port && { port: { number: port } }) },
  ...(weight === undefined ? {} : { weight }),
});

test('nothing goes along with the cluster of a service that no route divides, nor with a name that means nothing', () => {
  expect(alongWith(cluster('a'))).toEqual([]);
  expect(alongWith('outbound|80||nobody.example.com')).toEqual([]);
  expect(alongWith('PassthroughCluster')).toEqual([]);
});

test('what weights choose between goes together, whichever the proxy asks for', () => {
  const spec = { hosts: ['a'], http: [{ route: [to('a', 'v1', 99), to('b', undefined, 1), to('c', undefined, 0)] }] };
  expect(alongWith(cluster('a', 80, 'v1'), spec)).toEqual([cluster('b')]);
  // Nothing asks for b by its own name alone, but for the route of a.
  expect(alongWith(cluster('b'), spec)).toEqual([cluster('a', 80, 'v1')]);
});

test('subsets of one port that any route leads to go together, and no others', () => {
  const match = [{ headers: { user: { exact: 'jason' } } }];
  const spec = { hosts: ['a'], http: [{ match, route: [to('a', 'v2')] }, { route: [to('a', 'v1')] }] };
  expect(alongWith(cluster('a', 80, 'v1'), spec)).toEqual([cluster('a', 80, 'v2')]);
  // The route was another when it was asked for.
  expect(alongWith(cluster('a', 80, 'v3'), spec)).toEqual([cluster('a', 80, 'v2'), cluster('a', 80, 'v1')]);
  expect(alongWith(cluster('a'), spec)).toEqual([cluster('a', 80, 'v2'), cluster('a', 80, 'v1')]);
});

test('a route of its own is no reason: who calls one path need not call the others', () => {
  const match = [{ uri: { prefix: '/b' } }];
  const spec = { hosts: ['a'], http: [{ match, route: [to('b')] }, { route: [to('a')] }] };
  expect(alongWith(cluster('a'), spec)).toEqual([]);
  expect(alongWith(cluster('b'), spec)).toEqual([]);
});

test('connections are divided too', () => {
  const spec = { hosts: ['a'], tcp: [{ route: [to('a', 'v1', 50, 90), to('c', undefined, 50, 90)] }] };
  expect(alongWith(cluster('a', 90, 'v1'), spec)).toEqual([cluster('c', 90)]);
  expect(alongWith(cluster('a', 80, 'v1'), spec)).toEqual([]);
});

test('an ExternalName that stands for a host is the host', () => {
  const spec = { hosts: ['b'], http: [{ route: [to('alias', undefined, 90), to('b', undefined, 10)] }] };
  const externalName = 'c.shop.svc.cluster.local';
  const alias = service('alias', {}, { type: 'ExternalName', externalName });
  expect(alongWith(cluster('c'), spec, { kind: 'Service', object: alias })).toEqual([cluster('b')]);
});

test('so is a host that a ServiceEntry of many covers', () => {
  const spec = { hosts: ['b'], http: [{ route: [to('x.example.com', undefined, 90), to('b', undefined, 10)] }] };
  const wild = serviceEntry('shop/wild', {
    hosts: ['*.example.com'],
    location: 'MESH_EXTERNAL',
    resolution: 'NONE',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
  });
  const along = alongWith('outbound|80||*.example.com', spec, { kind: 'ServiceEntry', object: wild });
  expect(along).toEqual([cluster('b')]);
});

test('a route that the client has not is none for it, nor has a client of everything any use for it', () => {
  const spec = { hosts: ['a'], http: [{ route: [to('a', 'v1', 50), to('b', undefined, 50)] }] };
  expect(alongWith(cluster('a', 80, 'v1'), { ...spec, exportTo: ['.'] })).toEqual([cluster('b')]);
  const mesh = new MeshCache(SETTINGS);
  const elsewhere = virtualService('bank/rule', {
    ...spec,
    hosts: ['a.shop.svc.cluster.local'],
    http: [{ route: [to('a.shop.svc.cluster.local', 'v1', 50), to('b.shop.svc.cluster.local', undefined, 50)] }],
    exportTo: ['.'],
  });
  mesh.put(...BASE, { kind: 'VirtualService', object: elsewhere });
  expect(mesh.cache.companions(LAZY, CLUSTER_TYPE, cluster('a', 80, 'v1'))).toEqual([cluster('a')]);
  mesh.put({ kind: 'VirtualService', object: virtualService('shop/rule', spec) });
  expect(mesh.cache.companions(LAZY, CLUSTER_TYPE, cluster('a', 80, 'v1'))).toEqual([cluster('b')]);
  expect(mesh.cache.companions(proxyOf('eager'), CLUSTER_TYPE, cluster('a', 80, 'v1'))).toEqual([]);
});
