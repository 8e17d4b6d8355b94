import type { JsonObject } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import type { Endpoint, Locality } from '../mesh/snapshot.ts';
import { localityDependence, translateAssignment } from './load-assignments.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';
import { endpoint } from './testing/mesh-fixture.ts';
import { resourceJson } from './testing/resource-json.ts';

type Setting = NonNullable<NonNullable<TrafficPolicy['loadBalancer']>['localityLbSetting']>;

const place = (path: string): Locality => {
  const [region = '', zone = '', subzone = ''] = path.split('/');
  return { region, zone, subzone };
};
const ejecting = (localityLbSetting: Setting): TrafficPolicy => ({
  outlierDetection: {},
  loadBalancer: { localityLbSetting },
});

describe('the endpoints of a cluster', () => {
  const registry = envoyRegistry();

  /** Priority and weight of each endpoint's locality, by address. */
  function translate(
    policy: TrafficPolicy,
    endpoints: readonly Endpoint[],
    at = 'r1/z1/s1',
    labels: Record<string, string> = {},
  ): Record<string, [priority: number, weight: number | undefined]> {
    const input = { cluster: 'c', portName: 'http', endpoints, clusterVersion: '1', policy };
    const json = resourceJson(translateAssignment({ ...input, client: { locality: place(at), labels } }), registry);
    const found: Record<string, [number, number | undefined]> = {};
    // The shape is Envoy's own, written out by its schema.
    for (const group of (json.endpoints ?? []) as JsonObject[]) {
      for (const member of group.lb_endpoints as { endpoint: { address: { socket_address: { address: string } } } }[]) {
        const weight = group.load_balancing_weight;
        const address = member.endpoint.address.socket_address.address;
        found[address] = [Number(group.priority ?? 0), weight === undefined ? undefined : Number(weight)];
      }
    }
    return found;
  }
  const at = (address: string, path: string, more: Partial<Endpoint> = {}): Endpoint =>
    endpoint(address, { http: 80 }, { locality: place(path), ...more });
  const spread = [at('s', 'r1/z1/s1'), at('z', 'r1/z1/s2'), at('r', 'r1/z2'), at('b', 'r2/z1'), at('c', 'r3/z1')];
  const priorities = (result: ReturnType<typeof translate>): Record<string, number> =>
    Object.fromEntries(Object.entries(result).map(([address, [priority]]) => [address, priority]));

  test('come nearest first where failing ones are found, and all at once where not', () => {
    expect(priorities(translate({ outlierDetection: {} }, spread))).toEqual({ s: 0, z: 1, r: 2, b: 3, c: 3 });
    expect(priorities(translate({}, spread))).toEqual({ s: 0, z: 0, r: 0, b: 0, c: 0 });
    expect(priorities(translate(ejecting({ enabled: false }), spread))).toEqual({ s: 0, z: 0, r: 0, b: 0, c: 0 });
  });

  test('have priorities without a gap', () => {
    expect(priorities(translate({ outlierDetection: {} }, spread.slice(2)))).toEqual({ r: 0, b: 1, c: 1 });
    expect(priorities(translate({ outlierDetection: {} }, spread.slice(3)))).toEqual({ b: 0, c: 0 });
  });

  test('of the region that takes over come before other regions', () => {
    const setting = { failover: [{ from: 'r1', to: 'r3' }] };
    expect(priorities(translate(ejecting(setting), spread))).toEqual({ s: 0, z: 1, r: 2, c: 3, b: 4 });
    expect(priorities(translate(ejecting(setting), spread, 'r2/z1'))).toEqual({ b: 0, s: 1, z: 1, r: 1, c: 1 });
  });

  test('come in the order of labels they share with the client', () => {
    const members = [
      at('both', 'x', { labels: { version: 'v1', cell: 'a' } }),
      at('first', 'x', { labels: { version: 'v1', cell: 'b' } }),
      at('none', 'x', { labels: { version: 'v2', cell: 'a' } }),
    ];
    const labels = { version: 'v1', cell: 'a' };
    const order = (...failoverPriority: string[]) =>
      priorities(translate(ejecting({ failoverPriority }), members, 'x', labels));
    expect(order('version', 'cell')).toEqual({ both: 0, first: 1, none: 2 });
    expect(order('version=v2')).toEqual({ none: 0, both: 1, first: 1 });
    expect(order('topology.kubernetes.io/region', 'cell')).toEqual({ both: 0, none: 0, first: 1 });
    expect(order('constructor')).toEqual({ both: 0, first: 0, none: 0 });
  });

  test('weigh by locality as the policy distributes', () => {
    const to = { 'r1/z1/*': 70, 'r1/*': 20, 'r2/*': 10 };
    const policy: TrafficPolicy = { loadBalancer: { localityLbSetting: { distribute: [{ from: 'r1/*', to }] } } };
    expect(translate(policy, spread)).toEqual({
      s: [0, 350_000],
      z: [0, 350_000],
      r: [0, 200_000],
      b: [0, 100_000],
    });
    // No rule is for a client in r2: localities weigh what their endpoints do.
    expect(translate(policy, [at('s', 'r1', { weight: 5 }), at('b', 'r2')], 'r2')).toEqual({ s: [0, 5], b: [0, 1] });
  });

  test('have weights that Envoy can sum up', () => {
    const heavy = [at('a', 'r', { weight: 4_294_967_295 }), at('b', 'r', { weight: 4_294_967_295 })];
    const input = { cluster: 'c', portName: 'http', clusterVersion: '1', policy: {}, client: undefined };
    const weights = JSON.stringify(resourceJson(translateAssignment({ ...input, endpoints: heavy }), registry)).match(
      /"load_balancing_weight":(\d+)/g,
    );
    expect(weights).toEqual(['"load_balancing_weight":2000000000', '"load_balancing_weight":2000000000']);
  });

  test('are the same bytes in any order', () => {
    const input = { cluster: 'c', portName: 'http', clusterVersion: '1', policy: { outlierDetection: {} } };
    const client = { locality: place('r1/z1'), labels: {} };
    const bytes = (endpoints: readonly Endpoint[]) => translateAssignment({ ...input, endpoints, client }).bytes;
    expect(bytes([...spread].reverse())).toEqual(bytes(spread));
  });
});

test.each<[TrafficPolicy, ReturnType<typeof localityDependence>]>([
  [{}, { locality: false, labels: [] }],
  [{ outlierDetection: {} }, { locality: true, labels: [] }],
  [ejecting({ enabled: false }), { locality: false, labels: [] }],
  [
    { loadBalancer: { localityLbSetting: { distribute: [{ from: '*', to: { '*': 100 } }] } } },
    { locality: true, labels: [] },
  ],
  [{ loadBalancer: { localityLbSetting: { failover: [{ from: 'a', to: 'b' }] } } }, { locality: false, labels: [] }],
  [ejecting({ failoverPriority: ['a', 'b=1'] }), { locality: false, labels: ['a'] }],
  [ejecting({ failoverPriority: ['topology.kubernetes.io/zone', 'a'] }), { locality: true, labels: ['a'] }],
])('what the order depends on: %j', (policy, expected) => {
  expect(localityDependence(policy)).toEqual(expected);
});
