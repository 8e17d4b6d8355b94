import { expect, test } from '@jest/globals';
import type { Endpoint, Resolution } from '../mesh/snapshot.ts';
import { discoveryOf } from './cluster-discovery.ts';
import { clusterJson } from './testing/cluster-json.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';
import { endpoint, port, service } from './testing/mesh-fixture.ts';

const registry = envoyRegistry();

const HTTP = port(80, 'http', 'http');
const name = (address: string, more: Partial<Endpoint> = {}) =>
  endpoint(address, { http: 80 }, { mtls: false, ...more });
const found = (resolution: Resolution, endpoints: readonly Endpoint[] = []) =>
  clusterJson(registry, {}, { service: service('catalog.shop', [HTTP], { resolution, external: true }), endpoints });
const addresses = (json: ReturnType<typeof found>) =>
  JSON.stringify(json.load_assignment).match(/[a-z]\.example\.com/g);

test('endpoints that the mesh knows come by EDS', () => {
  expect(found('endpoints')).toMatchObject({ type: 'EDS', lb_policy: 'LEAST_REQUEST' });
});

test('names are resolved by Envoy, all of them, and hold up nothing', () => {
  const json = found('dns', [name('a.example.com'), name('b.example.com')]);
  expect(json).toMatchObject({
    cluster_type: {
      name: 'envoy.clusters.dns',
      typed_config: { dns_lookup_family: 'V4_PREFERRED', respect_dns_ttl: true, dns_refresh_rate: '60s' },
    },
    wait_for_warm_on_init: false,
    lb_policy: 'LEAST_REQUEST',
  });
  expect(addresses(json)).toEqual(['a.example.com', 'b.example.com']);
});

test('one name stands for all of its answers where they are to be taken in turn', () => {
  const json = found('dns-round-robin', [name('a.example.com'), name('b.example.com')]);
  expect(json.cluster_type).toMatchObject({ typed_config: { all_addresses_in_single_endpoint: true } });
  expect(addresses(json)).toEqual(['a.example.com']);
});

test('a cluster by DNS that has no endpoint for the port is one without endpoints', () => {
  const json = found('dns-round-robin', [endpoint('a.example.com', { other: 80 })]);
  expect(json.load_assignment).toEqual({ cluster_name: json.name });
  expect(JSON.stringify(json.cluster_type)).not.toContain('all_addresses');
});

test('endpoints found by DNS have weights, and an order for a client', () => {
  const near = name('a.example.com', { locality: { region: 'r', zone: '', subzone: '' }, weight: 4 });
  const more = {
    service: service('catalog.shop', [HTTP], { resolution: 'dns' }),
    endpoints: [name('b.example.com'), near],
    client: { locality: near.locality, labels: {} },
  };
  const text = JSON.stringify(clusterJson(registry, { outlierDetection: {} }, more).load_assignment);
  expect(text).toContain('"load_balancing_weight":4');
  expect(text.match(/"priority":1/g)).toHaveLength(1);
});

test('connections go where the client wanted to, at the port that the entry says', () => {
  const direct = { type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED' };
  expect(found('original-destination')).toMatchObject(direct);
  const target = { ...HTTP, targetPort: 8080 };
  const entry = service('catalog.shop', [target], { kind: 'Entry', resolution: 'original-destination' });
  expect(clusterJson(registry, {}, { service: entry, port: target })).toMatchObject({
    ...direct,
    original_dst_lb_config: { upstream_port_override: 8080 },
  });
});

test('PASSTHROUGH takes the place of any resolution', () => {
  const policy = { loadBalancer: { simple: 'PASSTHROUGH' as const } };
  const dns = service('catalog.shop', [HTTP], { resolution: 'dns' });
  expect(discoveryOf(dns, policy)).toBe('original-destination');
  expect(discoveryOf(dns, {})).toBe('dns');
  expect(clusterJson(registry, policy, { service: dns }).load_assignment).toBeUndefined();
});
