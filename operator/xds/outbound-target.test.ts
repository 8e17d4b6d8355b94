import { describe, expect, test } from '@jest/globals';
import type { MeshService } from '../mesh/snapshot.ts';
import { buildOutboundTarget, type TargetInput } from './outbound-target.ts';
import { backend } from './testing/http-rule-fixture.ts';
import { endpoint, port, service } from './testing/mesh-fixture.ts';
import { entry, target, targetInput, tcpRule, tlsRule } from './testing/target-fixture.ts';

const TCP = port(5432, 'tcp', 'p');
const TLS = port(443, 'tls', 'p');
const addressed = { addresses: ['10.96.0.1', 'fd00::1'] };
const chainTo = (cluster: string) => ({ shares: [{ cluster, weight: 100 }] });

describe('a port asks for', () => {
  test.each<[string, MeshService, Partial<TargetInput>, object | undefined]>([
    ['nothing of an alias', service('a.b', [TCP], { kind: 'ExternalName' }), {}, undefined],
    ['nothing where it is UDP', service('a.b', [port(53, 'udp')]), {}, undefined],
    ['HTTP by address', service('a.b', [port(80, 'grpc')], addressed), {}, { port: 80, ...addressed, mode: 'http' }],
    [
      'opaque TLS by address',
      service('a.b', [TLS], addressed),
      {},
      { ...addressed, mode: 'tcp', serverName: 'a.b.svc.cluster.local', chain: chainTo('a.b.svc.cluster.local') },
    ],
    ['all of a port, of TCP without address', entry('db.example', [TCP]), {}, { addresses: [], anywhere: true }],
    [
      'the same where the address is that which stands for all',
      entry('db.example', [TCP], { addresses: ['0.0.0.0'] }),
      {},
      { addresses: [], anywhere: true },
    ],
    [
      'its server name, of TLS without address',
      entry('*.Example', [TLS]),
      {},
      { anywhere: true, serverName: '*.example' },
    ],
    [
      'the address that its own DNS gives',
      entry('db.example', [TCP], { dnsAddress: '240.0.0.1' }),
      { dnsCapture: true },
      { addresses: ['240.0.0.1'] },
    ],
    [
      'blocks apart from addresses',
      entry('db.example', [TCP], { addresses: ['10.0.0.0/8', '192.0.2.1'] }),
      {},
      { addresses: ['192.0.2.1'], blocks: ['10.0.0.0/8'] },
    ],
  ])('%s', (_, of, more, expected) => {
    const built = buildOutboundTarget(targetInput(of, more));
    if (expected === undefined) expect(built).toBeUndefined();
    else expect(built).toMatchObject(expected);
    expect(built?.anywhere).toBe(built !== undefined && 'anywhere' in (expected ?? {}) ? true : undefined);
  });
});

describe('routes of TCP', () => {
  const of = service('db.shop', [TCP], addressed);

  test('come in order, up to the first for every address', () => {
    const tcp = [
      tcpRule([backend('a')], ['10.0.0.0/8'], ['fd00::/8']),
      tcpRule([backend('b')], ['10.1.0.0/16'], []),
      tcpRule([backend('c')]),
    ];
    const { rules = [], chain } = target(of, { tcp });
    expect(rules).toMatchObject([{ chain: chainTo('a'), serverNames: [], subnets: ['10.0.0.0/8', 'fd00::/8'] }]);
    expect(chain).toMatchObject(chainTo('b'));
  });

  test('multiply the weights of backends and of their revisions', () => {
    const resolve = ({ hostname }: { hostname: string }) => ({
      shares:
        hostname === 'a'
          ? [90, 10].map((weight) => ({ cluster: `a|${weight}`, weight }))
          : [{ cluster: hostname, weight: 100 }],
      hashPolicies: hostname === 'a' ? [{ kind: 'source-ip' } as const] : [],
    });
    const tcp = [tcpRule([backend('a', 30), backend('b', 70), backend('zero', 0)])];
    const { chain } = target(of, { tcp, resolve });
    expect(chain?.shares).toEqual([
      { cluster: 'a|90', weight: 27 },
      { cluster: 'a|10', weight: 3 },
      { cluster: 'b', weight: 70 },
    ]);
    expect(chain?.hashesSource).toBe(true);
  });

  test('are named by what they lead to, so that one more leaves the others alone', () => {
    const [a, b] = [tcpRule([backend('a')], ['10.0.0.0/8']), tcpRule([backend('b')], ['10.1.0.0/16'])];
    const names = (...tcp: (typeof a)[]) => target(of, { tcp }).rules?.map(({ chain }) => chain.name) ?? [];
    expect(names(b, a)).toEqual([...names(b), ...names(a)]);
    expect(new Set(names(a, b)).size).toBe(2);
  });

  test('are not for ports of TLS, nor those of TLS for others', () => {
    const routes = { tcp: [tcpRule([backend('a')])], tls: [tlsRule([backend('a')], ['x'])] };
    expect(target(service('db.shop', [TLS], addressed), routes)).toMatchObject({
      rules: [{ serverNames: ['x'] }],
      chain: chainTo('db.shop.svc.cluster.local'),
    });
    expect(target(of, routes)).toMatchObject({ chain: chainTo('a') });
    expect(target(of, routes).rules).toBeUndefined();
  });

  test('that lead nowhere close connections', () => {
    const resolve = () => ({ shares: [], hashPolicies: [] });
    expect(target(of, { tcp: [tcpRule([backend('a')])], resolve }).chain).toMatchObject(chainTo('BlackHoleCluster'));
  });
});

describe('a headless service', () => {
  const of = service('db.shop', [TCP], { kind: 'Headless', addresses: [] });
  const endpoints = [
    endpoint('10.0.0.2', { p: 5432 }),
    endpoint('10.0.0.3', { p: 5432 }, { mtls: false }),
    endpoint('10.0.0.4', { p: 9999 }),
  ];

  test('is reached pod by pod, with mTLS where they take it', () => {
    expect(target(of, { endpoints })).toEqual({
      port: 5432,
      addresses: ['10.0.0.2'],
      mode: 'tcp',
      chain: {
        name: 'tcp|5432||*.db.shop.svc.cluster.local',
        ...chainTo('outbound|5432||*.db.shop.svc.cluster.local'),
      },
      plainPods: ['10.0.0.3'],
      boundChain: { name: 'tcp|5432||db.shop.svc.cluster.local', ...chainTo('db.shop.svc.cluster.local') },
    });
  });

  test('has a route for all of its pods', () => {
    const built = target(of, { endpoints, tcp: [tcpRule([backend('a')])] });
    expect(built).toMatchObject({ addresses: ['10.0.0.2', '10.0.0.3'], chain: chainTo('a') });
    expect(built.plainPods).toBeUndefined();
  });

  test('without pods asks for nothing, unless it may be HTTP', () => {
    expect(buildOutboundTarget(targetInput(of))).toBeUndefined();
    expect(target({ ...of, ports: [port(80, 'auto')] })).toEqual({ port: 80, addresses: [], mode: 'sniff' });
  });
});
