import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { formatConfig, formatRaw, loadingNote } from './config-command.ts';
import { parseProxyConfig } from './config-dump.ts';

/** What a sidecar of the testbed's `orders` said, with fewer ports; the certificates are of a cluster that is no more. */
const dump = JSON.parse(readFileSync(new URL('testdata/config-dump.json', import.meta.url), 'utf8'));
const clusters = JSON.parse(readFileSync(new URL('testdata/clusters.json', import.meta.url), 'utf8'));
const config = parseProxyConfig(dump, clusters.cluster_statuses);
const table = { output: 'table', namespace: 'shop' } as const;

describe('tables', () => {
  test('listeners have a line for each filter chain', () => {
    expect(formatConfig(config, 'listeners', { ...table, port: 80 })).toMatch(
      /^ADDRESS +PORT +MATCH +DESTINATION\n0\.0\.0\.0 +80 +App: http\/1\.0,http\/1\.1,h2c +Route: 80\n0\.0\.0\.0 +80 +passthrough +Cluster: PassthroughCluster$/,
    );
    expect(formatConfig(config, 'listeners', { ...table, direction: 'inbound' })).toMatch(
      /8080 +Trans: tls; App: heddle-http,istio-http\/1\.0,istio-http\/1\.1,\+3 +Inline Route: inbound\|8080\|\|/,
    );
  });

  test('routes, clusters and endpoints are found by host, or a first part of it', () => {
    const filters = { ...table, fqdn: 'orders', port: 80 };
    expect(formatConfig(config, 'routes', filters)).toMatch(
      /\n80 +orders\.shop\.svc\.cluster\.local,orders\.shop\.svc,\+3 +\/\* +outbound\|80\|\|orders\.shop\.svc\.cluster\.local$/,
    );
    expect(formatConfig(config, 'clusters', filters)).toMatch(
      /\norders\.shop\.svc\.cluster\.local +80 +- +outbound +EDS +mTLS$/,
    );
    expect(formatConfig(config, 'endpoints', filters).split('\n')).toHaveLength(3);
    expect(formatConfig(config, 'clusters', { ...table, fqdn: 'order' }).split('\n')).toHaveLength(1);
  });

  test('of a sidecar with configuration on demand say that what was not used is not there', () => {
    const manager = { typed_config: { http_filters: [{ name: 'envoy.filters.http.on_demand' }] } };
    const listener = { resource: { filter_chains: [{ filters: [manager] }] }, state: 'active', version: '1' } as const;
    const lazy = { ...config, listeners: [...config.listeners, listener] };
    expect(loadingNote(lazy, 'clusters')).toMatch(/on-demand\): what was not used is not here\.$/);
    expect([loadingNote(lazy, 'secrets'), loadingNote(config, 'all')]).toEqual([undefined, undefined]);
  });

  test('what Envoy does not count of an endpoint is no zero', () => {
    const host = { address: { pipe: { path: '/a' } }, stats: [{ name: 'rq_total', value: '3' }, { name: 'rq_error' }] };
    const one = parseProxyConfig(dump, [{ name: 'c', host_statuses: [host] }]);
    expect(formatConfig(one, 'endpoints', { ...table, output: 'wide' })).toMatch(/ 0 +1 +- +3 +0$/);
  });

  test('certificates are told by subject, serial and end', () => {
    const text = formatConfig(config, 'secrets', table);
    expect(text).toMatch(
      /\ndefault +Cert Chain +ACTIVE +\w+ +spiffe:\/\/cluster\.local\/ns\/\w+\/sa\/orders +[0-9a-f]+ +20/,
    );
    expect(text).toMatch(/\nROOTCA +CA +ACTIVE +/);
  });

  test('all parts come with a title, but for those in which a filter finds nothing', () => {
    expect(formatConfig(config, 'all', table).match(/^[A-Z]+ \(\d+\)$/gm)).toEqual([
      expect.stringMatching(/^LISTENERS/),
      expect.stringMatching(/^ROUTES/),
      expect.stringMatching(/^CLUSTERS/),
      expect.stringMatching(/^ENDPOINTS/),
      expect.stringMatching(/^SECRETS/),
    ]);
    expect(formatConfig(config, 'all', { ...table, subset: 'v1' })).toBe('');
  });
});

test('no private key is shown in any format, even if Envoy did not redact it', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nMIIEverysecret\n-----END PRIVATE KEY-----';
  const leaky = structuredClone(dump);
  const secrets = leaky.configs.find((one: { '@type': string }) => one['@type'].endsWith('SecretsConfigDump'));
  secrets.dynamic_active_secrets[0].secret.tls_certificate.private_key = { inline_string: key };
  const bootstrap = leaky.configs.find((one: { '@type': string }) => one['@type'].endsWith('BootstrapConfigDump'));
  bootstrap.bootstrap.leak = { nested: [{ private_key: { inline_bytes: 'verysecret' } }, key] };
  const encrypted = key.replace('\n', '\nDEK-Info: AES-128-CBC,00\n\n');
  bootstrap.bootstrap.more = [
    encrypted,
    { local_jwks: { inline_string: '{"keys":[{"kty":"oct","k":"verysecret"}]}' } },
    { request_headers_to_add: [{ header: { key: 'authorization', value: 'Bearer verysecret' } }] },
  ];
  const leaking = parseProxyConfig(leaky, clusters.cluster_statuses);
  for (const kind of ['all', 'secrets', 'bootstrap'] as const) {
    for (const output of ['table', 'wide', 'json', 'yaml'] as const) {
      const flags = { output };
      const raw = output === 'json' || output === 'yaml';
      const text = raw ? formatRaw(leaking, kind, flags) : formatConfig(leaking, kind, flags);
      expect(text).not.toMatch(/verysecret|PRIVATE KEY/);
    }
  }
});

test('JSON has each resource once, as Envoy has it', () => {
  const [cluster, ...others] = JSON.parse(formatRaw(config, 'clusters', { output: 'json', fqdn: 'orders', port: 80 }));
  expect(others).toEqual([]);
  expect(cluster).toMatchObject({ name: 'outbound|80||orders.shop.svc.cluster.local', type: 'EDS' });
});

test('what Envoy refused is said', () => {
  const refused = parseProxyConfig(
    {
      configs: [
        {
          '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump',
          dynamic_listeners: [{ name: 'outbound|80', error_state: { details: 'no such filter' } }],
        },
      ],
    },
    [],
  );
  expect(formatConfig(refused, 'listeners', table)).toMatch(/- {2,}80 {2,}ALL {2,}refused: no such filter$/);
});
