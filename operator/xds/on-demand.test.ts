import { expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { LOADING_ANNOTATION } from '../../api/pod-names.ts';
import type { MeshObject } from '../mesh/mesh-object.ts';
import { canary, pod, SETTINGS, service, serviceEntry, slice, virtualService } from '../mesh/testing/objects.ts';
import { CLUSTER_TYPE } from './resource.ts';
import { MeshCache } from './testing/mesh-cache.ts';
import { proxyOf } from './testing/mesh-fixture.ts';

const COPIES = 'outbound|80||copies.shop.svc.cluster.local';
const WILD = 'outbound|80||*.example.com';
const app = pod('web', { uid: 'lazy' });
app.metadata = { ...app.metadata, annotations: { ...app.metadata?.annotations, [LOADING_ANNOTATION]: 'on-demand' } };
const alias = (target: string): MeshObject => ({
  kind: 'Service',
  object: service('alias', {}, { type: 'ExternalName', externalName: `${target}.shop.svc.cluster.local` }),
});
const BASE: readonly MeshObject[] = [
  { kind: 'Pod', object: app },
  ...['a', 'copies', 'others'].map((name, index): MeshObject => {
    return { kind: 'Service', object: service(name, {}, { clusterIP: `10.96.0.${index + 1}` }) };
  }),
  alias('copies'),
  {
    kind: 'ServiceEntry',
    object: serviceEntry('shop/wild', {
      hosts: ['*.example.com'],
      location: 'MESH_EXTERNAL',
      resolution: 'NONE',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    }),
  },
];
const LAZY = proxyOf('lazy');

/** A cache that a proxy with clusters on demand has asked, and what it is told. */
function start() {
  const mesh = new MeshCache(SETTINGS);
  const { cache } = mesh;
  const told = new Set<string>();
  cache.onChange((change) => {
    for (const name of change.affected(LAZY)?.get(CLUSTER_TYPE) ?? []) told.add(name);
  });
  const mirrorTo = (host: string): void => {
    const spec = { hosts: ['a'], http: [{ route: [{ destination: { host: 'a' } }], mirror: { host } }] };
    mesh.put({ kind: 'VirtualService', object: virtualService('shop/mirrored', spec) });
  };
  mesh.put(...BASE);
  const clusters = () => [...cache.wildcard(LAZY, CLUSTER_TYPE).keys()].filter((name) => name.startsWith('outbound|'));
  return { mesh, mirrorTo, told, clusters };
}

test.each([
  ['by its name', 'copies', COPIES],
  ['by the name of an ExternalName that stands for it', 'alias', COPIES],
  ['by a name that a ServiceEntry of many hosts covers', 'x.example.com', WILD],
])('a cluster that gets copies of requests, %s, is sent at once', (_, host, cluster) => {
  const { mirrorTo, told, clusters } = start();
  expect(clusters()).toEqual([]);
  mirrorTo(host);
  expect(clusters()).toEqual([cluster]);
  expect(told).toContain(cluster);
});

test('clusters whose names DNS is asked for are sent at once: a first request would find no endpoint yet', () => {
  const { mesh, told, clusters } = start();
  const named = (resolution: 'DNS' | 'STATIC'): MeshObject => {
    const endpoints = [{ address: resolution === 'DNS' ? 'a.example.org' : '192.0.2.1' }];
    const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];
    const spec = { hosts: ['named.example.org'], location: 'MESH_EXTERNAL' as const, resolution, ports, endpoints };
    return { kind: 'ServiceEntry', object: serviceEntry('shop/named', spec) };
  };
  mesh.put(named('STATIC'));
  expect(clusters()).toEqual([]);
  mesh.put(named('DNS'));
  expect(clusters()).toEqual(['outbound|80||named.example.org']);
  expect(told).toContain('outbound|80||named.example.org');
  mesh.put(named('STATIC'));
  expect(clusters()).toEqual([]);
});

test('clusters of no protocol are sent at once, nor those that connections are led to', () => {
  const { mesh, clusters } = start();
  const ports = ['http', 'grpc', 'tcp', 'tls', 'any'].map((name, index) => ({ name, port: 80 + index }));
  mesh.put({ kind: 'Service', object: service('all', {}, { clusterIP: '10.96.0.9', ports }) });
  const spec = { hosts: ['a'], tcp: [{ route: [{ destination: { host: 'all', port: { number: 82 } } }] }] };
  mesh.put({ kind: 'VirtualService', object: virtualService('shop/tcp', spec) });
  expect(clusters()).toEqual([]);
});

test('an ExternalName that stands for another takes the copies with it', () => {
  const { mesh, mirrorTo, told, clusters } = start();
  mirrorTo('alias');
  clusters();
  told.clear();
  mesh.put(alias('others'));
  expect(clusters()).toEqual(['outbound|80||others.shop.svc.cluster.local']);
  expect([...told].sort()).toEqual(expect.arrayContaining([COPIES, 'outbound|80||others.shop.svc.cluster.local']));
});

test('the cluster of what is released is sent at once while it gets copies, and no other of its Service', () => {
  const { mesh, told, clusters } = start();
  const web = (revision: string, gated: boolean) =>
    pod(revision, { deployment: 'web', revision, gated, labels: { app: 'web' }, uid: revision });
  const [old, fresh] = [web('r1', false), web('r2', true)];
  const release = (status: CanaryStatus): MeshObject => {
    const progress = { stableRevision: 'r1', canaryRevision: 'r2', ungatedRevisions: ['r1'], ...status };
    return { kind: 'Canary', object: canary('web', 'web', progress) };
  };
  mesh.put(
    { kind: 'Pod', object: old },
    { kind: 'Pod', object: fresh },
    { kind: 'Service', object: service('web', { app: 'web' }, { clusterIP: '10.96.0.9' }) },
    { kind: 'EndpointSlice', object: slice('web', [old, fresh]) },
    release({ weight: 0 }),
  );
  expect(clusters()).toEqual([]);
  const next = 'outbound|80||web.shop.svc.cluster.local|r2';
  told.clear();
  mesh.put(release({ weight: 0, mirrorWeight: 30 }));
  expect(clusters()).toEqual([next]);
  expect(told).toContain(next);
  mesh.put(release({ weight: 30 }));
  expect(clusters()).toEqual([]);
});
