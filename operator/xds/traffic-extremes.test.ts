import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import type { VirtualServiceSpec } from '../../api/virtual-service.ts';
import { type Route, VirtualHostSchema } from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { ResourceSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { MeshBuilder } from '../mesh/mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from '../mesh/mesh-object.ts';
import { destinationRule, pod, SETTINGS, service, slice, virtualService } from '../mesh/testing/objects.ts';
import { CLUSTER_TYPE, VIRTUAL_HOST_TYPE } from './resource.ts';
import { deltaBetween, proxyOf } from './testing/mesh-fixture.ts';
import { XdsCache } from './xds-cache.ts';

const HOST = 'a.shop.svc.cluster.local';
const A = `outbound|80||${HOST}`;
const to = (host: string, subset?: string) => ({ destination: { host, ...(subset === undefined ? {} : { subset }) } });
const APP = pod('app', { labels: { app: 'a', version: 'v1' } });
const BASE: readonly MeshObject[] = [
  ...['shop', 'bank'].map((name): MeshObject => {
    const labels = { 'heddle.dev/injection': 'enabled' };
    return { kind: 'Namespace', object: { metadata: { name, labels } } };
  }),
  { kind: 'Pod', object: APP },
  { kind: 'Service', object: service('a', { app: 'a' }) },
  { kind: 'EndpointSlice', object: slice('a', [APP]) },
];

/** A mesh with one Service, `a`, to which objects are added, and from which they are taken. */
function startMesh() {
  const builder = new MeshBuilder(SETTINGS);
  const cache = new XdsCache();
  const apply = (changes: readonly MeshChange[]): void => {
    const before = builder.snapshot;
    const { snapshot, unreadable } = builder.apply(changes);
    expect(unreadable).toEqual([]);
    cache.update(snapshot, deltaBetween(before, snapshot));
  };
  // Kind and object stay together, which a spread over a union of types does not show.
  const changeOf = (entry: MeshObject) => ({ ...entry, key: keyOf(entry.object.metadata) }) as MeshChange;
  apply(BASE.map(changeOf));
  return {
    cache,
    apply,
    add: (...objects: readonly MeshObject[]) => apply(objects.map(changeOf)),
    /** The routes of `a` for a client of a namespace. */
    routes: (namespace = 'shop'): readonly Route[] => {
      const found = cache.lookup(proxyOf(`client-${namespace}`, namespace), VIRTUAL_HOST_TYPE, `80/${HOST}`);
      const value = found && fromBinary(ResourceSchema, found.bytes).resource?.value;
      return value === undefined ? [] : fromBinary(VirtualHostSchema, value).routes;
    },
    clusters: () => [...cache.wildcard(proxyOf('client'), CLUSTER_TYPE).keys()],
    problems: () => [...builder.snapshot.policies.values()].flatMap((view) => view.problems),
  };
}

function routesTo(key: string, spec: VirtualServiceSpec, creation?: string): MeshObject {
  return { kind: 'VirtualService', object: virtualService(key, spec, creation) };
}

const clusterOf = (route: Route | undefined): unknown =>
  route?.action.case === 'route' ? route.action.value.clusterSpecifier.value : route?.action.case;

describe('A VirtualService', () => {
  test('with 5,000 routes has them all, in order', () => {
    const mesh = startMesh();
    const http = Array.from({ length: 5000 }, (_, index) => ({
      match: [{ uri: { prefix: `/${index}/` } }],
      route: [to('a')],
    }));
    mesh.add(routesTo('shop/many', { hosts: ['a'], http }));
    expect(mesh.problems()).toEqual([]);
    const paths = mesh.routes().map(({ match }) => match?.pathSpecifier.value);
    expect(paths).toEqual(http.map(({ match: [first] }) => first?.uri.prefix));
  });

  test.each([
    ['a negative one', [-1, 101], 'spec.http[0].route[0].weight'],
    ['none above 0', [0, 0], 'spec.http[0].route'],
    ['a sum that 32 bits do not hold', [2_147_483_647, 2_147_483_647, 2_147_483_647], 'spec.http[0].route'],
  ])('with weights of which %s counts as not there, and says so', (_, weights, field) => {
    const mesh = startMesh();
    mesh.add(
      routesTo('shop/r', { hosts: ['a'], http: [{ route: weights.map((weight) => ({ ...to('b'), weight })) }] }),
    );
    expect(mesh.problems()).toEqual([
      expect.objectContaining({ condition: 'Accepted', reason: 'Invalid', message: expect.stringContaining(field) }),
    ]);
    expect(mesh.routes().map(clusterOf)).toEqual([A]);
  });

  test('with weights over 100 takes them relative to each other, as in Istio', () => {
    const mesh = startMesh();
    const route = [
      { ...to('a'), weight: 300 },
      { ...to('b'), weight: 100 },
    ];
    mesh.add(routesTo('shop/r', { hosts: ['a'], http: [{ route }] }));
    expect(clusterOf(mesh.routes()[0])).toMatchObject({ clusters: [{ weight: 300 }, { weight: 100 }] });
  });

  test('in a cycle of delegates answers 503 to what is delegated, and serves the rest', () => {
    const mesh = startMesh();
    const match = [{ uri: { prefix: '/x' } }];
    mesh.add(
      routesTo('shop/root', { hosts: ['a'], http: [{ match, delegate: { name: 'one' } }, { route: [to('a')] }] }),
      routesTo('shop/one', { http: [{ match, delegate: { name: 'two' } }] }),
      routesTo('shop/two', { http: [{ match, delegate: { name: 'one' } }] }),
      routesTo('shop/self', { hosts: ['a'], http: [{ match, delegate: { name: 'self' } }] }, '2026-01-09T00:00:00Z'),
    );
    expect(mesh.routes()[0]?.action).toMatchObject({ case: 'directResponse', value: { status: 503 } });
    expect(mesh.routes().map(clusterOf)).toContain(A);
    expect(new Set(mesh.problems().map(({ object, reason }) => `${object.name} ${reason}`))).toEqual(
      new Set([
        'one Invalid',
        'two Invalid',
        'root DelegateInvalid',
        'self DelegateInvalid',
        'self OlderVirtualService',
      ]),
    );
  });

  test('of another namespace that keeps it to itself captures nobody else, older as it may be', () => {
    const mesh = startMesh();
    mesh.add(
      routesTo(
        'bank/r',
        { hosts: [HOST], exportTo: ['.'], http: [{ directResponse: { status: 418 } }] },
        '2025-01-01T00:00:00Z',
      ),
      routesTo('shop/r', { hosts: ['a'], exportTo: ['.'], http: [{ directResponse: { status: 419 } }] }),
    );
    for (const [namespace, status] of [
      ['bank', 418],
      ['shop', 419],
    ] as const) {
      expect(mesh.routes(namespace)).toEqual([
        expect.objectContaining({ action: { case: 'directResponse', value: expect.objectContaining({ status }) } }),
      ]);
    }
    expect(mesh.routes('other').map(clusterOf)).toEqual([A]);
  });
});

test('a DestinationRule that goes while its subset is in use takes that subset alone, and heals all when it comes back', () => {
  const mesh = startMesh();
  const subsets = [{ name: 'v1', labels: { version: 'v1' } }];
  const rule: MeshObject = { kind: 'DestinationRule', object: destinationRule('shop/d', { host: 'a', subsets }) };
  const match = [{ uri: { prefix: '/v1' } }];
  mesh.add(rule, routesTo('shop/r', { hosts: ['a'], http: [{ match, route: [to('a', 'v1')] }, { route: [to('a')] }] }));
  const whole = mesh.routes();
  const subset = `outbound|80|v1|${HOST}`;
  expect(mesh.clusters()).toContain(subset);

  mesh.apply([{ kind: 'DestinationRule', key: 'shop/d', object: undefined }]);
  // Envoy answers 503 there.
  expect(mesh.clusters()).not.toContain(subset);
  expect(mesh.routes().map(clusterOf)).toEqual(['BlackHoleCluster', A]);
  expect(mesh.problems()).toEqual([expect.objectContaining({ reason: 'SubsetNotFound' })]);

  mesh.add(rule);
  expect(mesh.problems()).toEqual([]);
  expect(mesh.clusters()).toContain(subset);
  expect(mesh.routes()).toEqual(whole);
});

describe('the key __proto__ is harmless', () => {
  // As the API gives it: JSON's own key, not JavaScript's.
  const json = (text: string): unknown => JSON.parse(text.replaceAll('KEY', '__proto__'));
  const route = '"route":[{"destination":{"host":"a","subset":"KEY"}}]';
  test.each([
    ['VirtualService', `{"hosts":["a"],"http":[{"match":[{"headers":{"KEY":{"exact":"x"}}}],${route}}]}`],
    ['VirtualService', `{"hosts":["a"],"http":[{"match":[{"queryParams":{"KEY":{"exact":"x"}}}],${route}}]}`],
    ['VirtualService', `{"hosts":["a"],"http":[{"match":[{"sourceLabels":{"KEY":"x"}}],${route}}]}`],
    ['VirtualService', `{"hosts":["a"],"http":[{"headers":{"request":{"set":{"KEY":"x"}}},${route}}]}`],
    ['VirtualService', `{"hosts":["a"],"KEY":{"exportTo":["."]},"http":[{"KEY":{"timeout":"1s"},${route}}]}`],
    ['DestinationRule', '{"host":"a","subsets":[{"name":"KEY","labels":{"KEY":"x"}}]}'],
    ['DestinationRule', '{"host":"a","workloadSelector":{"matchLabels":{"KEY":"x"}}}'],
    [
      'DestinationRule',
      '{"host":"a","trafficPolicy":{"loadBalancer":{"localityLbSetting":{"failoverPriority":["KEY"]}}}}',
    ],
    ['ServiceEntry', '{"hosts":["KEY","x.example"],"ports":[{"number":80,"name":"KEY"}],"resolution":"STATIC"}'],
    ['ServiceEntry', '{"hosts":["x.example"],"ports":[{"number":80,"name":"p"}],"endpoints":[{"ports":{"KEY":1}}]}'],
    ['WorkloadEntry', '{"address":"10.0.0.9","labels":{"KEY":"x"},"ports":{"KEY":1}}'],
    ['Sidecar', '{"workloadSelector":{"labels":{"KEY":"x"}},"egress":[{"hosts":["KEY/*"]}]}'],
    ['PeerAuthentication', '{"selector":{"matchLabels":{"KEY":"x"}},"portLevelMtls":{"KEY":{"mode":"DISABLE"}}}'],
  ])('in a %s: %s', (kind, spec) => {
    const mesh = startMesh();
    const before = mesh.routes();
    const metadata = {
      name: '__proto__',
      namespace: 'shop',
      labels: json('{"KEY":"x"}'),
      annotations: json('{"KEY":"x"}'),
    };
    // Whatever the API server would have made of it.
    mesh.add({ kind, object: { kind, metadata, spec: json(spec) } } as unknown as MeshObject);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    expect(Object.keys(Object.prototype)).toEqual([]);
    // In force or not, requests find the Service.
    if (kind !== 'VirtualService') expect(mesh.routes()).toEqual(before);
    else expect(mesh.routes().length).toBeGreaterThan(0);
  });
});
