import type { JsonObject } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import type { AppProtocol } from '../mesh/snapshot.ts';
import { clusterJson } from './testing/cluster-json.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';
import { port } from './testing/mesh-fixture.ts';
import { asObject } from './testing/resource-json.ts';

const registry = envoyRegistry();

type Pool = NonNullable<TrafficPolicy['connectionPool']>;

function options(connectionPool: Pool, protocol: AppProtocol = 'http', peers: string[] = []): JsonObject {
  const json = clusterJson(registry, { connectionPool }, { port: port(80, protocol), peers });
  return asObject(Object.values(asObject(json.typed_extension_protocol_options))[0]);
}

const HTTP1 = { explicit_http_config: { http_protocol_options: {} } };
const HTTP2 = { explicit_http_config: { http2_protocol_options: {} } };
const CLIENT = { use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} } };

test.each<[AppProtocol, Pool['http'], object]>([
  ['http', {}, CLIENT],
  ['auto', {}, CLIENT],
  ['grpc', {}, HTTP2],
  ['http', { h2UpgradePolicy: 'DEFAULT' }, CLIENT],
  ['http', { h2UpgradePolicy: 'UPGRADE' }, HTTP2],
  ['auto', { h2UpgradePolicy: 'UPGRADE' }, HTTP2],
  ['http', { h2UpgradePolicy: 'DO_NOT_UPGRADE' }, HTTP1],
  ['http2', { h2UpgradePolicy: 'DO_NOT_UPGRADE' }, HTTP2],
  ['http2', { useClientProtocol: true }, CLIENT],
  ['tls', {}, HTTP1],
])('a port of %s with %j speaks the right version', (protocol, http, expected) => {
  expect(options({ http }, protocol)).toMatchObject(expected);
});

test('a port of bytes has nothing of HTTP unless a policy readies it for requests', () => {
  const of = (policy: TrafficPolicy) =>
    clusterJson(registry, policy, { port: port(443, 'tls') }).typed_extension_protocol_options;
  expect(of({ connectionPool: { tcp: { maxConnections: 1 } } })).toBeUndefined();
  expect(of({ tls: { mode: 'SIMPLE' } })).toBeDefined();
});

test.each<[Pool, string]>([
  [{ tcp: {} }, '1s'],
  [{ tcp: { idleTimeout: '5m' } }, '300s'],
  [{ tcp: { idleTimeout: '5m' }, http: { idleTimeout: '7s' } }, '7s'],
  [{ tcp: { idleTimeout: '0s' } }, '0s'],
])('idle connections with %j end after %s', (pool, expected) => {
  expect(options(pool).common_http_protocol_options).toEqual({ idle_timeout: expected });
});

test('idle connections between proxies stay longer', () => {
  expect(options({}, 'http', ['spiffe://a']).common_http_protocol_options).toEqual({ idle_timeout: '600s' });
});

test('connections end after their time, their requests, and hold so many streams', () => {
  const pool: Pool = {
    tcp: { maxConnectionDuration: '1.5s' },
    http: { maxRequestsPerConnection: 9, maxConcurrentStreams: 5 },
  };
  expect(options(pool, 'grpc')).toMatchObject({
    common_http_protocol_options: { max_connection_duration: '1.500s', max_requests_per_connection: 9 },
    explicit_http_config: { http2_protocol_options: { max_concurrent_streams: 5 } },
  });
  expect(options(pool)).toMatchObject({
    use_downstream_protocol_config: { http2_protocol_options: { max_concurrent_streams: 5 } },
  });
});
