import type { JsonObject } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { SYSTEM_ROOTS } from './server-tls.ts';
import { clusterJson } from './testing/cluster-json.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';
import { endpoint, port, service } from './testing/mesh-fixture.ts';
import { asObject } from './testing/resource-json.ts';

const PEER = 'spiffe://cluster.local/ns/shop/sa/app';
const OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
type Tls = NonNullable<TrafficPolicy['tls']>;

describe('how connections are secured', () => {
  const registry = envoyRegistry();
  const cluster = (policy: TrafficPolicy, more: Parameters<typeof clusterJson>[2] = {}) =>
    clusterJson(registry, policy, more);
  /** The TLS context of a cluster's only socket. */
  const context = (json: JsonObject): JsonObject => asObject(asObject(json.transport_socket).typed_config);
  const common = (tls: Tls, more: Parameters<typeof clusterJson>[2] = {}): JsonObject =>
    asObject(context(cluster({ tls }, more)).common_tls_context);
  const names = (json: JsonObject) => JSON.stringify(json).match(/"exact":"[^"]*"/g) ?? [];
  const fromRequest = (json: JsonObject) =>
    asObject(asObject(json.typed_extension_protocol_options)[OPTIONS]).upstream_http_protocol_options;

  test('without a policy each endpoint that takes mesh mTLS gets it', () => {
    const json = cluster({}, { peers: [PEER] });
    expect(json.transport_socket_matches).toHaveLength(2);
    expect(json.transport_socket).toBeUndefined();
    expect(cluster({}).transport_socket_matches).toBeUndefined();
  });

  test.each<Tls>([{ mode: 'DISABLE' }, {}])('with %j there is none', (tls) => {
    const json = cluster({ tls }, { peers: [PEER] });
    expect([json.transport_socket, json.transport_socket_matches]).toEqual([undefined, undefined]);
  });

  test('ISTIO_MUTUAL is for all endpoints, to the peers or to the names of the policy', () => {
    const plain = context(cluster({ tls: { mode: 'ISTIO_MUTUAL' } }, { peers: [PEER], subset: 'v1' }));
    expect(plain.sni).toBe('outbound_.80_.v1_.catalog.shop.svc.cluster.local');
    expect(names(plain)).toEqual([`"exact":"${PEER}"`]);
    const own = { mode: 'ISTIO_MUTUAL' as const, sni: 'x', subjectAltNames: ['spiffe://other/ns/a/sa/b'] };
    const other = context(cluster({ tls: own }, { peers: [PEER] }));
    expect(other.sni).toBe('x');
    expect(names(other)).toEqual(['"exact":"spiffe://other/ns/a/sa/b"']);
  });

  test('the marks of HTTP between proxies are offered to these alone', () => {
    const marks = { filter_metadata: { heddle: { http_alpn: 'heddle-http,istio' } } };
    expect(cluster({}, { peers: [PEER] }).metadata).toEqual(marks);
    expect(cluster({ tls: { mode: 'ISTIO_MUTUAL' } }).metadata).toEqual(marks);
    // Servers outside of the mesh may refuse connections that offer nothing they know.
    for (const mode of ['SIMPLE', 'MUTUAL', 'DISABLE'] as const) {
      expect(cluster({ tls: { mode } }, { peers: [PEER] }).metadata).toBeUndefined();
    }
    expect(cluster({}).metadata).toBeUndefined();
    expect(cluster({}, { peers: [PEER], port: port(90, 'tcp') }).metadata).toBeUndefined();
  });

  test('SIMPLE believes public authorities unless the policy names others', () => {
    expect(common({ mode: 'SIMPLE' }).validation_context).toEqual({ trusted_ca: { filename: SYSTEM_ROOTS } });
    expect(common({ mode: 'SIMPLE', caCertificates: 'system' }).validation_context).toEqual({
      trusted_ca: { filename: SYSTEM_ROOTS },
    });
    expect(common({ mode: 'SIMPLE', caCertificates: '/ca', caCrl: '/crl' }).validation_context).toEqual({
      trusted_ca: { filename: '/ca' },
      crl: { filename: '/crl' },
    });
    expect(common({ mode: 'SIMPLE', insecureSkipVerify: true }).validation_context).toBeUndefined();
  });

  test('names that the certificate must have are the policy’s, else the service’s', () => {
    const own = service('catalog.shop', [port(80, 'http', 'http')], { subjectAltNames: ['entry.example.com'] });
    expect(names(common({ mode: 'SIMPLE' }, { service: own }))).toEqual(['"exact":"entry.example.com"']);
    const subjectAltNames = ['a.example.com', '10.0.0.1', 'spiffe://a/b', 'a@example.com'];
    const types = JSON.stringify(common({ mode: 'SIMPLE', subjectAltNames }, { service: own })).match(
      /"san_type":"\w+"/g,
    );
    expect(types).toEqual(['DNS', 'IP_ADDRESS', 'URI', 'EMAIL'].map((type) => `"san_type":"${type}"`));
  });

  test.each<[Tls, unknown]>([
    [{ mode: 'SIMPLE' }, { auto_sni: true, auto_san_validation: true }],
    [{ mode: 'SIMPLE', insecureSkipVerify: true }, { auto_sni: true }],
    [{ mode: 'SIMPLE', subjectAltNames: ['a'] }, { auto_sni: true }],
    [{ mode: 'SIMPLE', sni: 'a' }, undefined],
    [{ mode: 'ISTIO_MUTUAL' }, undefined],
  ])(
    'with %j names come from the request where the policy has none',
    (tls, expected) => {
      expect(fromRequest(cluster({ tls }))).toEqual(expected);
    },
    10_000,
  );

  test('MUTUAL shows a certificate from files', () => {
    expect(common({ mode: 'MUTUAL', clientCertificate: '/c', privateKey: '/k' }).tls_certificates).toEqual([
      { certificate_chain: { filename: '/c' }, private_key: { filename: '/k' } },
    ]);
    expect(common({ mode: 'SIMPLE', clientCertificate: '/c', privateKey: '/k' }).tls_certificates).toBeUndefined();
  });

  test('what a Secret holds comes by ADS, under its name', () => {
    const secrets = (tls: Tls) => JSON.stringify(common(tls)).match(/"name":"[^"]*"/g);
    expect(secrets({ mode: 'SIMPLE', credentialName: 'db' })).toEqual(['"name":"kubernetes://db-cacert"']);
    expect(secrets({ mode: 'MUTUAL', credentialName: 'db' })).toEqual([
      '"name":"kubernetes://db"',
      '"name":"kubernetes://db-cacert"',
    ]);
    expect(JSON.stringify(common({ mode: 'SIMPLE', credentialName: 'db' }))).toContain('"initial_fetch_timeout":"2s"');
  });

  test('offers HTTP/2 alone where that is what is spoken', () => {
    expect(common({ mode: 'SIMPLE' }, { port: port(80, 'grpc', 'http') }).alpn_protocols).toEqual(['h2']);
    expect(common({ mode: 'SIMPLE' }).alpn_protocols).toBeUndefined();
  });

  test('the PROXY protocol goes around whatever there is', () => {
    const proxyProtocol = { version: 'V2' as const };
    const wrapped = 'envoy.transport_sockets.upstream_proxy_protocol';
    expect(cluster({ proxyProtocol }).transport_socket).toMatchObject({
      name: wrapped,
      typed_config: { config: { version: 'V2' }, transport_socket: { name: 'envoy.transport_sockets.raw_buffer' } },
    });
    expect(cluster({ proxyProtocol, tls: { mode: 'SIMPLE' } }).transport_socket).toMatchObject({
      name: wrapped,
      typed_config: { transport_socket: { name: 'envoy.transport_sockets.tls' } },
    });
    const matches = cluster({ proxyProtocol }, { peers: [PEER] }).transport_socket_matches;
    expect(JSON.stringify(matches).split(wrapped)).toHaveLength(3);
  });

  test('connections to where the client wanted have mesh mTLS when every endpoint takes it', () => {
    const policy: TrafficPolicy = { loadBalancer: { simple: 'PASSTHROUGH' } };
    const meshed = endpoint('10.0.0.1', { http: 80 });
    const plain = endpoint('10.0.0.2', { http: 80 }, { mtls: false });
    expect(cluster(policy, { peers: [PEER], endpoints: [meshed] }).transport_socket).toBeDefined();
    expect(cluster(policy, { peers: [PEER], endpoints: [meshed, plain] }).transport_socket).toBeUndefined();
  });
});
