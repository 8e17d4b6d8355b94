import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { VirtualHostSchema } from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { ResourceSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import type { MeshService, MeshSnapshot } from '../mesh/snapshot.ts';
import type { SideTelemetry, TracingTo } from '../mesh/telemetry.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  type ResourceChange,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
} from './resource.ts';
import {
  deltaBetween,
  endpoint,
  port,
  proxyOf,
  type SnapshotInput,
  service,
  snapshotOf,
  workload,
} from './testing/mesh-fixture.ts';
import { XdsCache } from './xds-cache.ts';

const LINES = {
  name: 'lines',
  envoyFileAccessLog: { path: '/dev/stdout', omitEmptyValues: false },
} as const;
const ORDERING = service('ordering.shop', [port(80, 'http', 'http')]);
const BILLING = service('billing.bank', [port(80, 'http', 'http')], { addresses: ['10.96.0.2'] });
const PODS = [endpoint('10.0.0.1', { http: 8080 }), endpoint('10.0.0.2', { http: 8080 })];
const BASE: SnapshotInput = {
  services: [ORDERING, BILLING],
  endpoints: { [ORDERING.hostname]: PODS, [BILLING.hostname]: PODS },
  workloads: [workload('w1'), workload('w2'), workload('w3', { owner: 'other' })],
};
const SPANS: TracingTo = {
  provider: {
    name: 'spans',
    zipkin: { service: 'zipkin.tools', port: 9411, traceContextOption: 'USE_B3' },
  } as TracingTo['provider'],
  service: 'zipkin.tools.svc.cluster.local',
  sampling: 1,
  customTags: {},
  istioTags: true,
  byRequestId: true,
};

/** Updates a cache from one snapshot to another; gives what the streams of two proxies are told. */
function changeBetween(before: SnapshotInput, after: SnapshotInput) {
  const cache = new XdsCache();
  const [first, second]: MeshSnapshot[] = [snapshotOf(before), snapshotOf(after)];
  if (first === undefined || second === undefined) throw new Error('two snapshots');
  cache.update(first, deltaBetween(undefined, first));
  // Whoever is told of changes has asked before.
  for (const uid of ['w1', 'w2']) for (const typeUrl of cache.typeUrls) cache.wildcard(proxyOf(uid), typeUrl);
  const changes: ResourceChange[] = [];
  cache.onChange((change) => changes.push(change));
  cache.update(second, deltaBetween(first, second));
  const told = (uid: string) =>
    changes.map((change) =>
      Object.fromEntries([...(change.affected(proxyOf(uid)) ?? [])].map(([type, names]) => [type, [...names]])),
    );
  return { cache, w1: told('w1'), w2: told('w2') };
}

describe('an update tells', () => {
  test('nothing when nothing differs', () => {
    expect(changeBetween(BASE, BASE).w1).toEqual([]);
  });

  test("one load assignment when a service's pods change", () => {
    const endpoints = { ...BASE.endpoints, [ORDERING.hostname]: PODS.slice(1) };
    expect(changeBetween(BASE, { ...BASE, endpoints }).w1).toEqual([
      { [ENDPOINT_TYPE]: ['outbound|80||ordering.shop.svc.cluster.local'] },
    ]);
  });

  test('the cluster, and its load assignment again, when new pods have another identity', () => {
    const other = endpoint('10.0.0.3', { http: 8080 }, { spiffeId: 'spiffe://cluster.local/ns/shop/sa/other' });
    const endpoints = { ...BASE.endpoints, [ORDERING.hostname]: [...PODS, other] };
    const name = 'outbound|80||ordering.shop.svc.cluster.local';
    expect(changeBetween(BASE, { ...BASE, endpoints }).w1).toEqual([
      { [CLUSTER_TYPE]: [name], [ENDPOINT_TYPE]: [name] },
    ]);
  });

  test('the virtual host alone when the weight of a release changes', () => {
    const canary = { kind: 'Canary', namespace: 'shop', name: 'ordering' };
    const release = (weight: number) => ({ canary, label: 'l', stable: 'r1', next: 'r2', weight });
    const pods = [...PODS, endpoint('10.0.0.3', { http: 8080 }, { revision: 'r2', gated: true })];
    const at = (weight: number): SnapshotInput => ({
      ...BASE,
      services: [{ ...ORDERING, split: release(weight) }, BILLING],
      endpoints: { ...BASE.endpoints, [ORDERING.hostname]: pods },
    });
    expect(changeBetween(at(5), at(50)).w1).toEqual([{ [VIRTUAL_HOST_TYPE]: ['80/ordering.shop.svc.cluster.local'] }]);
  });

  test('only the proxy of a workload that changes about its inbound side', () => {
    const mtls = { mode: 'STRICT', ports: {}, policies: [] } as const;
    const workloads = [workload('w1', { mtls }), workload('w2'), workload('w3', { owner: 'other' })];
    const { w1, w2 } = changeBetween(BASE, { ...BASE, workloads });
    expect(w1).toEqual([{ [CLUSTER_TYPE]: ['inbound|8080||'], [LISTENER_TYPE]: ['virtualInbound'] }]);
    expect(w2).toEqual([{}]);
  });

  test('everything of a service that goes', () => {
    const { cache, w1 } = changeBetween(BASE, { workloads: BASE.workloads ?? [] });
    expect(w1[0]?.[CLUSTER_TYPE]).toHaveLength(2);
    expect(w1[0]?.[ROUTE_TYPE]).toEqual(['80']);
    expect(new Set(w1[0]?.[VIRTUAL_HOST_TYPE])).toEqual(
      new Set([`80/${ORDERING.hostname}`, `80/${BILLING.hostname}`, '80/*|unknown']),
    );
    expect(w1[0]?.[LISTENER_TYPE]).toEqual(['outbound|80']);
    const names = [...cache.wildcard(proxyOf('w1'), LISTENER_TYPE).keys()];
    expect(names).toEqual(['virtualOutbound', 'virtualInbound']);
    expect(cache.lookup(proxyOf('w1'), ROUTE_TYPE, '80')).toBeUndefined();
    expect([...cache.wildcard(proxyOf('w1'), ENDPOINT_TYPE)]).toEqual([]);
  });
});

describe('what is encoded', () => {
  const { cache } = changeBetween({}, BASE);

  test('is the same object for all pods that serve alike, and another for one that does not', () => {
    const inbound = (uid: string) => cache.lookup(proxyOf(uid), LISTENER_TYPE, 'virtualInbound');
    expect(inbound('w1')).toBe(inbound('w2'));
    expect(inbound('w1')).toBe(inbound('w3'));
    const mtls = { mode: 'STRICT', ports: {}, policies: [] } as const;
    const { cache: other } = changeBetween({}, { ...BASE, workloads: [workload('w1', { mtls }), workload('w2')] });
    const versions = ['w1', 'w2'].map((uid) => other.lookup(proxyOf(uid), LISTENER_TYPE, 'virtualInbound')?.version);
    expect(versions[0]).not.toBe(versions[1]);
    expect(inbound('unknown')).toBeUndefined();
  });

  test.each([
    ['nothing', true, {}],
    ['lines', true, { accessLogs: [{ provider: LINES }] }],
    ['spans, which tell them apart', false, { tracing: SPANS }],
  ] as const)('is the same object for workloads whose Telemetry asks for %s: %p', (_, isShared, told) => {
    const side: SideTelemetry = { accessLogs: [], digest: '', ...told };
    const telling = (uid: string) => {
      const telemetry = { client: side, server: side, service: uid, revision: '', namesItself: true, policies: [] };
      return workload(uid, { telemetry });
    };
    const { cache: telemetry } = changeBetween({}, { ...BASE, workloads: [telling('w1'), telling('w2')] });
    const [first, second] = ['w1', 'w2'].map((uid) => telemetry.lookup(proxyOf(uid), LISTENER_TYPE, 'virtualInbound'));
    expect(first).toBeDefined();
    expect(first === second).toBe(isShared);
  });

  test("as a virtual host is shared by all namespaces but the host's own, where a short name leads to it", () => {
    const host = (namespace: string) =>
      cache.lookup(proxyOf(`in ${namespace}`, namespace), VIRTUAL_HOST_TYPE, `80/${ORDERING.hostname}`);
    expect(host('x')).toBe(host('bank'));
    expect(host('shop')?.version).not.toBe(host('x')?.version);
  });

  test('as a route configuration is the same for everybody', () => {
    const routes = (namespace: string) => cache.lookup(proxyOf(`in ${namespace}`, namespace), ROUTE_TYPE, '80');
    expect(routes('x')).toBe(routes('shop'));
  });

  test('as a listener stays when one more HTTP service comes from the same network', () => {
    const third = service('third.shop', [port(80, 'http', 'http')], { addresses: ['10.96.0.3'] });
    const fourth = { ...third, hostname: 'fourth.shop.svc.cluster.local', addresses: ['10.96.0.2'] };
    const listenerOf = (...more: MeshService[]) =>
      changeBetween({}, { services: [ORDERING, BILLING, ...more] }).cache.lookup(
        proxyOf('w1'),
        LISTENER_TYPE,
        'outbound|80',
      );
    expect(listenerOf(third, fourth)?.version).toBe(listenerOf(third)?.version);
  });

  test('never has a domain twice, even when two services claim one address', () => {
    const again = { ...BILLING, hostname: 'twin.bank.svc.cluster.local', name: 'twin' };
    const twins = changeBetween({}, { services: [ORDERING, BILLING, again] }).cache;
    const domains = [...twins.wildcard(proxyOf('w1'), VIRTUAL_HOST_TYPE).values()].flatMap(({ bytes }) => {
      const value = fromBinary(ResourceSchema, bytes).resource?.value ?? new Uint8Array();
      return fromBinary(VirtualHostSchema, value).domains;
    });
    expect(domains).toContain('twin.bank');
    expect(domains).toHaveLength(new Set(domains).size);
  });

  test.each(['0', '080', '80x', '99999', ''])('has no route configuration %p', (name) => {
    expect(cache.lookup(proxyOf('w1'), ROUTE_TYPE, name)).toBeUndefined();
  });

  test.each(['80', '80/', '080/a', '81/*|unknown', '80/a|unknown', '80/x|pods', `80/${ORDERING.hostname}|other`])(
    'has no virtual host %p',
    (name) => {
      expect(cache.lookup(proxyOf('w1'), VIRTUAL_HOST_TYPE, name)).toBeUndefined();
    },
  );
});
