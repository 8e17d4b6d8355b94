import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OutboundPolicy } from '../../operator/mesh/snapshot.ts';
import { translateOutboundListener } from '../../operator/xds/outbound-listener.ts';
import type { OutboundTarget } from '../../operator/xds/outbound-target.ts';
import { translatePortListener } from '../../operator/xds/port-listener.ts';
import { envoyRegistry } from '../../operator/xds/testing/envoy-registry.ts';
import { backend } from '../../operator/xds/testing/http-rule-fixture.ts';
import { endpoint, port, service } from '../../operator/xds/testing/mesh-fixture.ts';
import { entry, target, tcpRule, tlsRule } from '../../operator/xds/testing/target-fixture.ts';
import { credibleRange } from './support/binomial.ts';
import { freePort } from './support/free-port.ts';
import {
  type NamedServer,
  type OutboundEnvoy,
  type Outcome,
  type ServerKind,
  type Speech,
  startNamedServer,
  startOutboundEnvoy,
} from './support/outbound-envoy.ts';
import { makeServerCertificate } from './support/server-certificate.ts';

const TLS = port(443, 'tls');
const TCP = port(5432, 'tcp');
const HTTP = 'GET / HTTP/1.1\r\nhost: any\r\nconnection: close\r\n\r\n';

const addressed = { addresses: ['10.96.0.1'] };
const byName = tlsRule([backend('exact')], ['www.example.com']);

/** Targets by port. */
const TARGETS: Readonly<Record<number, readonly OutboundTarget[]>> = {
  // TLS by name: ServiceEntries without addresses, with blocks, and a Service with an address and routes.
  443: [
    target(entry('*.example.com', [TLS]), { backend: to('wildcard') }),
    target(entry('*.deep.example.com', [TLS]), { backend: to('deep') }),
    target(entry('www.example.com', [TLS]), { backend: to('exact') }),
    target(entry('a.example.net', [TLS], { addresses: ['10.50.0.0/16'] }), { backend: to('exact') }),
    target(service('web.shop', [TLS], addressed), {
      backend: to('default'),
      tls: [
        tlsRule([backend('wildcard')], ['*.example.com']),
        byName,
        tlsRule([backend('deep')], ['*.d'], ['10.96.0.0/16']),
        tlsRule([backend('exact')], ['c.d'], ['10.97.0.0/16']),
      ],
    }),
    target(entry('*.example.net', [TLS], { addresses: ['10.50.0.0/16'] }), { backend: to('deep') }),
    target(service('plain.shop', [TLS], { addresses: ['10.96.0.2'] }), { backend: to('plain') }),
  ],
  // The same beside HTTP and opaque TCP.
  8443: [
    target(entry('*.example.com', [port(8443, 'tls')]), { backend: to('wildcard') }),
    target(service('any.shop', [port(8443, 'auto')], { addresses: ['10.96.0.1'] }), { backend: to('plain') }),
    target(service('tls.shop', [port(8443, 'auto')], { addresses: ['10.96.0.2'] }), { backend: to('default') }),
    target(service('web.shop', [port(8443, 'http')], { addresses: ['10.97.0.1'] })),
    target(entry('tcp.example', [port(8443, 'tcp')]), { backend: to('anywhere') }),
  ],
  5432: [
    target(service('db.shop', [TCP], addressed), {
      backend: to('plain'),
      tcp: [tcpRule([backend('plain', 1), backend('other', 3)])],
    }),
    target(service('by-subnet.shop', [TCP], { addresses: ['10.96.0.2', '10.97.0.2'] }), {
      backend: to('plain'),
      tcp: [tcpRule([backend('other')], ['10.97.0.0/16'])],
    }),
    target(service('broken.shop', [TCP], { addresses: ['10.96.0.3'] }), {
      tcp: [tcpRule([backend('no such cluster')])],
    }),
    target(entry('wide.example', [TCP], { addresses: ['10.0.0.0/8'] }), { backend: to('wide') }),
    target(entry('block.example', [TCP], { addresses: ['10.50.0.0/16', '10.50.0.9'] }), { backend: to('block') }),
  ],
};

/** With a pod outside of the mesh, on loopback. */
function headless(number: number): OutboundTarget {
  const pods = [endpoint('10.0.0.1', { p: number }), endpoint('127.0.0.1', { p: number }, { mtls: false })];
  return target(service('pods.shop', [port(number, 'tcp', 'p')], { kind: 'Headless', addresses: [] }), {
    endpoints: pods,
  });
}

function to(cluster: string) {
  return { shares: [{ cluster, weight: 100 }], hashPolicies: [] };
}

let registry: Awaited<ReturnType<typeof envoyRegistry>>;
const servers: NamedServer[] = [];
const clusters: Record<string, number> = {};
const envoys: Partial<Record<OutboundPolicy, OutboundEnvoy>> = {};
let unknown: NamedServer;
let plainPod: NamedServer;
let tcpBound: number;
let httpBound: number;
let tlsBound: number;

beforeAll(async () => {
  registry = envoyRegistry();
  const certificate = await makeServerCertificate();
  const start = async (name: string, kind?: ServerKind) => {
    const server = await startNamedServer(name, kind);
    servers.push(server);
    clusters[name] = server.port;
  };
  for (const name of ['exact', 'wildcard', 'deep', 'default']) await start(name, certificate);
  for (const name of ['plain', 'other', 'wide', 'block', 'anywhere']) await start(name);
  await start('http', 'http');
  unknown = await startNamedServer('unknown');
  plainPod = await startNamedServer('pod');
  servers.push(unknown, plainPod);
  [tcpBound, httpBound, tlsBound] = [await freePort(), await freePort(), await freePort()];
  for (const outboundPolicy of ['ALLOW_ANY', 'REGISTRY_ONLY'] as const) {
    const options = { dualStack: false, outboundPolicy };
    const listeners = Object.entries(TARGETS).map(([number, targets]) =>
      translatePortListener(Number(number), targets, options),
    );
    const bound = (number: number, name: string, targets: readonly OutboundTarget[]) =>
      translatePortListener(number, targets, { ...options, bind: { address: '127.0.0.1', name } });
    const auto = [target(service('web.shop', [port(unknown.port, 'auto')], addressed), { backend: to('plain') })];
    const bounds = [
      bound(tcpBound, 'tcp', [
        target(service('a.shop', [TCP]), { backend: to('plain') }),
        target(service('b.shop', [TCP]), { backend: to('other') }),
      ]),
      bound(httpBound, 'http', [target(service('a.shop', [port(80, 'http')]))]),
      bound(tlsBound, 'tls', [
        target(service('a.shop', [TLS]), { backend: to('default') }),
        target(entry('www.example.com', [TLS], { addresses: ['10.0.0.1'] }), { backend: to('exact') }),
        target(entry('loop.example.com', [TLS], { resolution: 'original-destination' }), {
          backend: to('PassthroughCluster'),
        }),
      ]),
    ];
    envoys[outboundPolicy] = await startOutboundEnvoy(
      [
        translateOutboundListener(options),
        ...listeners,
        translatePortListener(unknown.port, auto, options),
        translatePortListener(plainPod.port, [headless(plainPod.port)], options),
        ...(outboundPolicy === 'ALLOW_ANY' ? bounds : []),
      ],
      clusters,
      registry,
    );
  }
}, 60_000);

afterAll(async () => {
  for (const envoy of Object.values(envoys)) await envoy.process.stop();
  for (const server of servers) server.close();
});

function envoy(policy: OutboundPolicy = 'ALLOW_ANY'): OutboundEnvoy {
  const found = envoys[policy];
  if (found === undefined) throw new Error('Envoy has not started');
  return found;
}

type Row = readonly [what: string, address: string, port: number, speech: Speech, server: string | undefined];

describe('a connection', () => {
  test.each<Row>([
    ['by its whole server name', '192.0.2.1', 443, { serverName: 'www.example.com' }, 'exact'],
    ['by its server name in capitals', '192.0.2.1', 443, { serverName: 'WWW.Example.com' }, 'exact'],
    ['by the end of its server name', '192.0.2.1', 443, { serverName: 'a.example.com' }, 'wildcard'],
    ['by the longest end of its server name', '192.0.2.1', 443, { serverName: 'a.b.deep.example.com' }, 'deep'],
    ['to an address, whatever its server name', '10.96.0.2', 443, {}, 'plain'],
    ['to an address, by a route of its server name', '10.96.0.1', 443, { serverName: 'www.example.com' }, 'exact'],
    ['to an address, by a route of the end of its name', '10.96.0.1', 443, { serverName: 'x.example.com' }, 'wildcard'],
    ['to an address, by no route', '10.96.0.1', 443, { serverName: 'x.example.org' }, 'default'],
    ['to an address, without a server name', '10.96.0.1', 443, { serverName: null }, 'default'],
    ['to an address, by a route of name and block', '10.96.0.1', 443, { serverName: 'c.d' }, 'deep'],
    ['to a block, by its whole server name', '10.50.1.1', 443, { serverName: 'a.example.net' }, 'exact'],
    ['to the same block, by the end of its server name', '10.50.1.1', 443, { serverName: 'b.example.net' }, 'deep'],
    [
      'to a block by a name that another host without address has',
      '10.50.1.1',
      443,
      { serverName: 'a.example.com' },
      'wildcard',
    ],
    ['of TLS beside HTTP, by its server name', '192.0.2.1', 8443, { serverName: 'a.example.com' }, 'wildcard'],
    ['of TLS that offers HTTP, to an address', '10.96.0.2', 8443, { serverName: 'x.example.org' }, 'default'],
    ['of HTTP to an address', '10.96.0.1', 8443, { text: HTTP }, 'http'],
    ['of HTTP where none is declared', '192.0.2.1', 8443, { text: HTTP }, 'http'],
    ['of neither to an address', '10.96.0.1', 8443, { text: 'hello\n' }, 'plain'],
    ['of neither to anywhere', '192.0.2.1', 8443, { text: 'hello\n' }, 'anywhere'],
    ['to an address in a block of a route', '10.97.0.2', 5432, {}, 'other'],
    ['to an address outside of the block of a route', '10.96.0.2', 5432, {}, 'plain'],
    ['to a block', '10.1.2.3', 5432, {}, 'wide'],
    ['to a block within a block', '10.50.1.1', 5432, {}, 'block'],
    ['to an address within blocks', '10.96.0.2', 5432, {}, 'plain'],
    ['by a route that leads to no cluster', '10.96.0.3', 5432, {}, undefined],
  ])('%s goes where it should', async (_, address, number, speech, server) => {
    for (const policy of ['ALLOW_ANY', 'REGISTRY_ONLY'] as const) {
      expect((await envoy(policy).call(address, number, speech)).server).toBe(server);
    }
  });

  test('does not wait where the server speaks first and nothing is to be sniffed', async () => {
    const times: number[] = [];
    for (let call = 0; call < 10; call++) times.push((await envoy().call('10.1.2.3', 5432)).ms);
    expect(Math.min(...times)).toBeLessThan(150);
  });

  test('goes to weighted clusters by their weights', async () => {
    const calls: Outcome[] = [];
    // Who connects and says nothing for a second is taken for a server's client; of hundreds at once some come to that on a busy machine.
    for (let round = 0; round < 10; round++) {
      calls.push(...(await Promise.all(Array.from({ length: 40 }, () => envoy().call('10.96.0.1', 5432)))));
    }
    const others = calls.filter(({ server }) => server === 'other').length;
    expect(calls.filter(({ server }) => server === 'plain').length).toBe(calls.length - others);
    const { least, most } = credibleRange(calls.length, 0.75);
    expect(others).toBeGreaterThanOrEqual(least);
    expect(others).toBeLessThanOrEqual(most);
  });
});

describe('a connection to where the mesh knows nothing', () => {
  test.each<readonly [string, () => readonly [string, number]]>([
    ['on a port that it does not know', () => ['127.0.0.1', clusters.other ?? 0]],
    ['on a port that it knows', () => ['127.0.0.1', unknown.port]],
  ])('%s passes, or is closed at once with REGISTRY_ONLY', async (_, place) => {
    const [address, number] = place();
    expect((await envoy('ALLOW_ANY').call(address, number)).server).toBeDefined();
    const closed = await envoy('REGISTRY_ONLY').call(address, number);
    expect(closed.server).toBeUndefined();
    expect(closed.ms).toBeLessThan(2000);
  });

  test('passes to pods of a headless service all the same', async () => {
    for (const policy of ['ALLOW_ANY', 'REGISTRY_ONLY'] as const) {
      expect((await envoy(policy).call('127.0.0.1', plainPod.port)).server).toBe('pod');
    }
  });

  test('by a server name is closed with REGISTRY_ONLY', async () => {
    expect((await envoy('REGISTRY_ONLY').call('127.0.0.1', 443, { serverName: 'example.org' })).server).toBeUndefined();
  });
});

describe('a bound listener', () => {
  test('serves HTTP', async () => {
    expect((await envoy().callBound(httpBound, { text: HTTP })).server).toBe('http');
  });

  test('leads TCP to the first service', async () => {
    expect((await envoy().callBound(tcpBound)).server).toBe('plain');
  });

  test('tells TLS by its server name, and leads the rest to the first service', async () => {
    expect((await envoy().callBound(tlsBound, { serverName: 'www.example.com' })).server).toBe('exact');
    expect((await envoy().callBound(tlsBound, { serverName: 'a.shop.svc.cluster.local' })).server).toBe('default');
    expect((await envoy().callBound(tlsBound, { serverName: 'loop.example.com' })).server).toBe('default');
  });
});
