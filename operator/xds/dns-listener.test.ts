import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { JsonValue, Registry } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { envoyBinary } from '../../hack/envoy/binary.ts';
import { type DnsHost, translateDnsListener } from './dns-listener.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';
import { asObject, resourceJson } from './testing/resource-json.ts';

let registry: Registry;
let folder: string;

beforeAll(async () => {
  registry = envoyRegistry();
  folder = await mkdtemp(join(tmpdir(), 'heddle-dns-listener-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const listenerOf = (hosts: readonly DnsHost[], dualStack = false) =>
  resourceJson(translateDnsListener(hosts, dualStack), registry);

/** Names of the table, each with its addresses. */
function table(hosts: readonly DnsHost[]): [JsonValue | undefined, JsonValue | undefined][] {
  const [filter] = listenerOf(hosts).listener_filters as JsonValue[];
  const server = asObject(asObject(asObject(filter).typed_config).server_config);
  const domains = (asObject(server.inline_dns_table).virtual_domains ?? []) as JsonValue[];
  return domains.map((domain) => {
    const { name, endpoint } = asObject(domain);
    return [name, asObject(asObject(endpoint).address_list).address];
  });
}

const udp = (address: string) => ({ socket_address: { protocol: 'UDP', address, port_value: 15053 } });

describe('translateDnsListener', () => {
  test('answers for hosts, and asks the resolvers of the pod for all other names as they are', () => {
    expect(listenerOf([{ hostname: 'api.example', addresses: ['240.0.0.7'] }])).toEqual({
      name: 'dnsCapture',
      address: udp('127.0.0.1'),
      traffic_direction: 'OUTBOUND',
      listener_filters: [
        {
          name: 'envoy.filters.udp.dns_filter',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.udp.dns_filter.v3.DnsFilterConfig',
            stat_prefix: 'dns',
            case_insensitive: true,
            server_config: {
              inline_dns_table: {
                virtual_domains: [
                  { name: 'api.example', endpoint: { address_list: { address: ['240.0.0.7'] } }, answer_ttl: '30s' },
                ],
              },
            },
            client_config: {
              resolver_timeout: '20s',
              max_pending_lookups: '4096',
              typed_dns_resolver_config: {
                name: 'envoy.network.dns_resolver.cares',
                typed_config: {
                  '@type': 'type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
                  dns_resolver_options: { no_default_search_domain: true },
                  query_tries: 6,
                },
              },
            },
          },
        },
      ],
    });
  });

  test.each<[string, string[], string[] | undefined]>([
    ['the same address once', ['10.0.0.1', '10.0.0.2', '10.0.0.1'], ['10.0.0.1', '10.0.0.2']],
    ['a block of one address', ['10.0.0.1/32'], ['10.0.0.1']],
    ['no larger block', ['10.0.0.0/8', '10.0.0.1'], ['10.0.0.1']],
    ['no IPv6 address, as nobody asks', ['fd00::1', '10.0.0.1'], ['10.0.0.1']],
    ['no host without an IPv4 address', ['fd00::1', '10.0.0.0/24'], undefined],
    ['nothing that is no address', ['x', '10.0.0.1.2', ''], undefined],
  ])('takes %s', (_, addresses, expected) => {
    const entries = table([{ hostname: 'a.example', addresses }]);
    expect(entries).toEqual(expected === undefined ? [] : [['a.example', expected]]);
  });

  test('gives a name to the first host that has it, and leaves out what is no name', () => {
    const hosts = ['a.example', 'a.example', '', '*', 'a..b', 'x\ny', '*.wild.example', '__proto__'];
    const entries = table(hosts.map((hostname, index) => ({ hostname, addresses: [`10.0.0.${index + 1}`] })));
    expect(entries).toEqual([
      ['*.wild.example', ['10.0.0.7']],
      ['__proto__', ['10.0.0.8']],
      ['a.example', ['10.0.0.1']],
    ]);
  });

  test('is the same resource whatever the order of the hosts', () => {
    const hosts = ['b.example', 'a.example', '*.example'].map((hostname) => ({ hostname, addresses: ['10.0.0.1'] }));
    expect(translateDnsListener(hosts, false)).toEqual(translateDnsListener(hosts.toReversed(), false));
  });

  test.each([
    ['without hosts', [], false],
    ['on both loopbacks', [{ hostname: '*.wild.example', addresses: ['10.0.0.1'] }], true],
    ['with odd names', [{ hostname: '__proto__._x.example', addresses: ['240.0.0.1'] }], false],
    [
      'with thousands of hosts',
      Array.from({ length: 3000 }, (_, index) => ({ hostname: `h${index}.example`, addresses: ['10.0.0.1'] })),
      false,
    ],
  ])(
    'passes the real Envoy %s',
    async (_, hosts, dualStack) => {
      const file = join(folder, 'envoy.json');
      await writeFile(file, JSON.stringify({ static_resources: { listeners: [listenerOf(hosts, dualStack)] } }));
      const args = ['--mode', 'validate', '--log-level', 'warning', '--config-path', file];
      const { stdout, stderr } = await promisify(execFile)(await envoyBinary(), args);
      expect(stdout).toContain('OK');
      expect(stderr).not.toMatch(/deprecated/i);
    },
    30_000,
  );

  test('binds both loopbacks where the pod has IPv6', () => {
    expect(listenerOf([], true)).toMatchObject({
      address: udp('127.0.0.1'),
      additional_addresses: [{ address: udp('::1') }],
    });
  });
});
