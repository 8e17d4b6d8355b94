import type { JsonObject } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { translateOutboundListener } from './outbound-listener.ts';
import type { OutboundTarget } from './outbound-target.ts';
import { type PortListenerOptions, translatePortListener } from './port-listener.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';
import { backend } from './testing/http-rule-fixture.ts';
import { port, service } from './testing/mesh-fixture.ts';
import { resourceJson } from './testing/resource-json.ts';
import { entry, target, tcpRule, tlsRule } from './testing/target-fixture.ts';

const registry = envoyRegistry();

function listener(targets: readonly OutboundTarget[], more: Partial<PortListenerOptions> = {}): JsonObject {
  const options = { dualStack: false, outboundPolicy: 'ALLOW_ANY', ...more } as const;
  return resourceJson(translatePortListener(443, targets, options), registry);
}

/** Names of filters or filter chains, all of which have one. */
function names(list: unknown): string[] {
  return (list as { name: string }[] | undefined)?.map(({ name }) => name.replace('envoy.filters.listener.', '')) ?? [];
}

const tls = (hostname = 'web.shop') => service(hostname, [port(443, 'tls')]);
const tcp = service('db.shop', [port(443, 'tcp')]);
const http = service('web.shop', [port(443, 'http')], { addresses: ['10.96.0.9'] });
const byName = entry('x.example', [port(443, 'tls')]);
const ofTls = { tls: [tlsRule([backend('a')], ['x'])] };

describe('what is sniffed', () => {
  test.each<[string, () => OutboundTarget[], string[]]>([
    ['nothing of opaque connections', () => [target(tcp), target(tls())], []],
    ['HTTP beside others', () => [target(tcp), target(http)], ['http_inspector']],
    ['TLS where a name decides', () => [target(byName)], ['tls_inspector']],
    ['TLS where a route by name does', () => [target(tls(), ofTls)], ['tls_inspector']],
    ['TLS before HTTP', () => [target(http), target(byName)], ['tls_inspector', 'http_inspector']],
  ])('is %s', (_, targets, expected) => {
    expect(names(listener(targets()).listener_filters)).toEqual(expected);
  });
});

test('one more host that is told by its server name leaves the listener filters as they are', () => {
  const [one, two] = [[byName], [byName, entry('y.example', [port(443, 'tls')])]].map((services) =>
    listener(services.map((each) => target(each))),
  );
  expect(two?.listener_filters).toEqual(one?.listener_filters);
  expect(names(two?.filter_chains)).toEqual(['tcp|443||x.example', 'tcp|443||y.example', 'passthrough']);
});

test('a route that chooses endpoints by the source hashes it, and counts with the service', () => {
  const resolve = () => ({ shares: [{ cluster: 'a', weight: 100 }], hashPolicies: [{ kind: 'source-ip' } as const] });
  expect(listener([target(tcp, { tcp: [tcpRule([backend('a')])], resolve })])).toMatchObject({
    filter_chains: [
      {
        name: expect.stringMatching(/^tcp\|443\|\|db\.shop\.svc\.cluster\.local\|[0-9a-f]{16}$/),
        filters: [
          {
            typed_config: {
              stat_prefix: 'tcp|443||db.shop.svc.cluster.local',
              cluster: 'a',
              hash_policy: [{ source_ip: {} }],
            },
          },
        ],
      },
      { name: 'passthrough' },
    ],
  });
});

test('addresses of HTTP within a block of another host are matched one by one', () => {
  const web = [http, { ...http, addresses: ['10.97.0.9'] }].map((each) => target(each));
  const wide = target(entry('wide.example', [port(443, 'tcp')], { addresses: ['10.96.0.0/16'] }));
  const keys = (targets: OutboundTarget[]) => {
    // Either a tree, or without an exact address none.
    const matcher = listener(targets).filter_chain_matcher as { matcher_tree?: { exact_match_map: { map: object } } };
    return Object.keys(matcher.matcher_tree?.exact_match_map.map ?? {});
  };
  expect(keys(web)).toEqual([]);
  expect(keys([...web, wide])).toEqual(['10.96.0.9']);
});

test('with REGISTRY_ONLY, what is unknown leads to no one, on ports that the mesh knows and on others', () => {
  const known = listener([target(tcp)], { outboundPolicy: 'REGISTRY_ONLY' });
  const entrance = resourceJson(
    translateOutboundListener({ dualStack: false, outboundPolicy: 'REGISTRY_ONLY' }),
    registry,
  );
  const unknown = { name: 'unknown', filters: [{ typed_config: { cluster: 'BlackHoleCluster' } }] };
  expect(known).toMatchObject({
    filter_chains: [{ name: 'tcp|443||db.shop.svc.cluster.local' }, unknown],
    filter_chain_matcher: { on_no_match: { action: { name: 'unknown' } } },
  });
  expect(entrance).toMatchObject({ default_filter_chain: unknown });
});

describe('a bound listener', () => {
  test('is bound, to an address or to a socket file, and lets nothing pass', () => {
    const bind = { address: '127.0.0.2', name: '127.0.0.2_443' };
    const socket = { address: { socket_address: { address: '127.0.0.2', port_value: 443 } } };
    const bound = listener([target(tcp)], { bind });
    expect(bound).toMatchObject({ ...socket, name: '127.0.0.2_443', bind_to_port: true });
    expect(names(bound.filter_chains)).toEqual(['tcp|443||db.shop.svc.cluster.local', 'block']);
    const file = listener([target(tcp)], { bind: { address: 'unix:///run/db', name: 'db' } });
    expect(file.address).toEqual({ pipe: { path: '/run/db' } });
  });

  test('of HTTP alone looks for nothing', () => {
    const bound = listener([target(http)], { bind: { address: '127.0.0.1', name: 'b' } });
    expect(bound.listener_filters).toBeUndefined();
    expect(names(bound.filter_chains)).toEqual(['http', 'block']);
  });

  test('does not lead to itself', () => {
    const through = target(entry('x.example', [port(443, 'tcp')], { resolution: 'original-destination' }));
    const bind = { address: '127.0.0.1', name: 'b' };
    expect(names(listener([through], { bind }).filter_chains)).toEqual(['block']);
    expect(names(listener([through, target(tcp)], { bind }).filter_chains)).toEqual([
      'tcp|443||db.shop.svc.cluster.local',
      'block',
    ]);
  });
});
