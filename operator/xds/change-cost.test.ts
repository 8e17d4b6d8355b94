import { expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { LOADING_ANNOTATION } from '../../api/pod-names.ts';
import { MeshBuilder } from '../mesh/mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from '../mesh/mesh-object.ts';
import { canary, destinationRule, pod, SETTINGS, service, slice, virtualService } from '../mesh/testing/objects.ts';
import { CacheChange } from './cache-change.ts';
import type { Client } from './clients.ts';
import { portListener } from './names.ts';
import { Outbound } from './outbound.ts';
import type { XdsResource } from './resource.ts';
import { deltaBetween, proxyOf } from './testing/mesh-fixture.ts';

const SERVICES = 100;
const NO_ATTRIBUTES = { httpOnly: false, secure: false, partitioned: false };
const PROXIES = [proxyOf('w0'), proxyOf('w1'), proxyOf('w2', 'bank')];

function changeOf(entry: MeshObject): MeshChange {
  // Kind and object stay together, which a spread over a union of types does not show.
  return { ...entry, key: keyOf(entry.object.metadata) } as MeshChange;
}

function route(number: number, weight: number): MeshObject {
  const destination = { host: `s${number}`, subset: 'v1' };
  const spec = {
    hosts: [`s${number}`],
    http: [
      {
        route: [
          { destination, weight },
          { destination: { host: 's0' }, weight: 100 - weight },
        ],
      },
    ],
  };
  return { kind: 'VirtualService', object: virtualService(`shop/r${number}`, spec) };
}

/** All clusters that a client is sent, encoded. */
function clustersOf(outbound: Outbound, client: Client): Map<string, XdsResource> {
  return new Map([...outbound.clustersUnasked(client)].map(([name, { value }]) => [name, value]));
}

/** A mesh of many services with routes and policies, all of which three proxies have asked for. */
function startMesh() {
  const app = pod('app', { labels: { version: 'v1' } });
  const numbers = Array.from({ length: SERVICES }, (_, number) => number);
  const builder = new MeshBuilder(SETTINGS);
  const outbound = new Outbound(SETTINGS);
  const ask = () => {
    for (const proxy of PROXIES) {
      const client = outbound.clients.get(proxy);
      for (const port of outbound.routes.all()) {
        for (const name of outbound.routes.names(port)) outbound.routes.host(name, client);
      }
      clustersOf(outbound, client);
    }
  };
  const apply = (objects: readonly MeshObject[]): number => {
    const before = builder.snapshot;
    const { snapshot } = builder.apply(objects.map(changeOf));
    const encodings = outbound.virtualHosts.encodings;
    outbound.update(snapshot, deltaBetween(before, snapshot), new CacheChange(() => new Map()));
    ask();
    return outbound.virtualHosts.encodings - encodings;
  };
  const all = apply([
    { kind: 'Pod', object: app },
    ...numbers.flatMap((number): MeshObject[] => [
      { kind: 'Service', object: service(`s${number}`, {}, { clusterIP: `10.96.1.${number}` }) },
      { kind: 'EndpointSlice', object: slice(`s${number}`, [app]) },
      route(number, 90),
      {
        kind: 'DestinationRule',
        object: destinationRule(`shop/d${number}`, {
          host: `s${number}`,
          subsets: [{ name: 'v1', labels: { version: 'v1' } }],
        }),
      },
    ]),
  ]);
  return { apply, all, outbound };
}

test('a change of one VirtualService encodes the virtual host of its host anew, once per namespace that differs, and no cluster', () => {
  const { apply, all, outbound } = startMesh();
  // Short names resolve at home alone.
  expect(all).toBe(2 * SERVICES);
  const clusters = PROXIES.map((proxy) => clustersOf(outbound, outbound.clients.get(proxy)));
  expect(apply([route(7, 50)])).toBe(2);
  for (const [index, proxy] of PROXIES.entries()) {
    for (const [name, cluster] of clustersOf(outbound, outbound.clients.get(proxy))) {
      expect(cluster).toBe(clusters[index]?.get(name));
    }
  }
});

test('a step of a release encodes the virtual host of its Service anew, and no cluster', () => {
  const { apply, outbound } = startMesh();
  const released = (revision: string, gated: boolean) =>
    pod(`web-${revision}`, { deployment: 'web', revision, gated, labels: { app: 'web' } });
  const pods = [released('r1', false), released('r2', true)];
  const step = (status: CanaryStatus): MeshObject => {
    const object = canary('web', 'web', {
      stableRevision: 'r1',
      canaryRevision: 'r2',
      ungatedRevisions: ['r1'],
      ...status,
    });
    const match = [{ headers: { 'x-beta': { exact: 'yes' } } }];
    const sessionAffinity = { cookieName: 'seen', maxAge: 60, path: '/', ...NO_ATTRIBUTES };
    const spec = { ...object.spec, analysis: { ...object.spec.analysis, match, sessionAffinity } };
    return { kind: 'Canary', object: { ...object, spec } };
  };
  apply([
    ...pods.map((object): MeshObject => ({ kind: 'Pod', object })),
    { kind: 'Service', object: service('web', { app: 'web' }, { clusterIP: '10.96.2.1' }) },
    { kind: 'EndpointSlice', object: slice('web', pods) },
    step({ weight: 0 }),
  ]);
  const client = outbound.clients.get(proxyOf('w0'));
  const before = clustersOf(outbound, client);
  for (const status of [{ mirrorWeight: 30 }, { matched: true }, { weight: 5 }, { weight: 50 }]) {
    expect(apply([step({ weight: 0, ...status })])).toBe(2);
  }
  for (const [name, cluster] of clustersOf(outbound, client)) expect(cluster).toBe(before.get(name));
});

test('an object that comes again, as after a restart of the watch, encodes nothing', () => {
  const { apply } = startMesh();
  expect(apply([route(7, 90)])).toBe(0);
});

test('a change of one DestinationRule encodes its clusters anew, and of the virtual hosts at most those with routes there', () => {
  const { apply, outbound } = startMesh();
  const client = outbound.clients.get(proxyOf('w0'));
  const before = clustersOf(outbound, client);
  const spec = {
    host: 's7',
    subsets: [{ name: 'v1', labels: { version: 'v1' } }],
    trafficPolicy: { loadBalancer: { simple: 'RANDOM' as const } },
  };
  expect(apply([{ kind: 'DestinationRule', object: destinationRule('shop/d7', spec) }])).toBeLessThanOrEqual(2);
  const changed = [...clustersOf(outbound, client)].filter(([name, cluster]) => cluster !== before.get(name));
  expect(changed.map(([name]) => name).sort()).toEqual([
    'outbound|80|v1|s7.shop.svc.cluster.local',
    'outbound|80||s7.shop.svc.cluster.local',
  ]);
});

test('a client that is sent clusters when it first uses them has those encoded alone, though its listeners lead to all', () => {
  const lazy = pod('lazy', { uid: 'lazy' });
  const annotations = { ...lazy.metadata?.annotations, [LOADING_ANNOTATION]: 'on-demand' };
  lazy.metadata = { ...lazy.metadata, annotations };
  const objects = Array.from({ length: SERVICES }, (_, number): MeshObject[] => [
    { kind: 'Service', object: service(`s${number}`, {}, { clusterIP: `10.96.1.${number}` }) },
    { kind: 'EndpointSlice', object: slice(`s${number}`, [lazy]) },
  ]).flat();
  const builder = new MeshBuilder(SETTINGS);
  const outbound = new Outbound(SETTINGS);
  const { snapshot } = builder.apply([{ kind: 'Pod' as const, object: lazy }, ...objects].map(changeOf));
  outbound.update(snapshot, deltaBetween(undefined, snapshot), new CacheChange(() => new Map()));
  const client = outbound.clients.get(proxyOf('lazy'));
  expect(outbound.listeners.get(portListener(80), client)).toBeDefined();
  expect([...outbound.clustersUnasked(client).keys()].filter((name) => name.startsWith('outbound|'))).toEqual([]);
  outbound.cluster('outbound|80||s7.shop.svc.cluster.local', client);
  const made = [...snapshot.services.values()].flatMap((one) =>
    [...outbound.services.variant(client.scope, one).clusters].filter(([, { isMade }]) => isMade),
  );
  expect(made.map(([name]) => name)).toEqual(['outbound|80||s7.shop.svc.cluster.local']);
});
