import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { fromJson, type JsonObject, type JsonValue, type Registry, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ListenerSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { type DnsHost, translateDnsListener } from '../../operator/xds/dns-listener.ts';
import { encodeResource } from '../../operator/xds/encoding.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, type XdsResource } from '../../operator/xds/resource.ts';
import { envoyRegistry } from '../../operator/xds/testing/envoy-registry.ts';
import { asObject, resourceJson } from '../../operator/xds/testing/resource-json.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';
import { type DnsServer, startDnsServer } from './support/dns-server.ts';
import { type EnvoyProcess, startEnvoy } from './support/envoy-process.ts';
import { freePort } from './support/free-port.ts';
import { ResourceTable } from './support/resource-table.ts';

const HOST = '127.0.0.1';
const HOSTS: readonly DnsHost[] = [
  { hostname: 'made-up.example', addresses: ['240.0.0.7'] },
  { hostname: 'several.example', addresses: ['10.0.0.1', '10.0.0.2'] },
  { hostname: '*.wild.example', addresses: ['240.0.0.9'] },
  { hostname: 'taken.example', addresses: ['240.0.0.8'] },
];

let registry: Registry;
let table: ResourceTable;
let upstream: DnsServer;
let harness: AdsHarness;
let pod: TestPod;
let envoy: EnvoyProcess;
let port: number;
let resolver: Resolver;

beforeAll(async () => {
  registry = envoyRegistry();
  upstream = await startDnsServer({
    'elsewhere.example': '192.0.2.1',
    'taken.example': '192.0.2.2',
    'slow.example': 'silent',
  });
  table = new ResourceTable([CLUSTER_TYPE, LISTENER_TYPE]);
  harness = await startHarness([table]);
  pod = harness.addPod('client');
  port = await freePort();
  table.update([listenerOf(HOSTS)]);
  const options = { nodeId: nodeIdOf(pod), token: pod.token, adsPort: harness.port, rootPem: harness.rootPem };
  envoy = await startEnvoy(options);
  resolver = resolverOf();
  await until(async () => (await envoy.admin('/listeners')).includes('dnsCapture'));
  await until(async () => (await resolver.resolve4('made-up.example')).length > 0);
}, 60_000);

afterAll(async () => {
  resolver.cancel();
  await envoy.stop();
  await harness.stop();
  await upstream.stop();
});

function resolverOf(timeout = 5000): Resolver {
  const made = new Resolver({ timeout, tries: 1 });
  made.setServers([`${HOST}:${port}`]);
  return made;
}

/** The listener on a port of the test's, with the test's server for the pod's resolver. */
function listenerOf(hosts: readonly DnsHost[]): XdsResource {
  const listener = resourceJson(translateDnsListener(hosts, false), registry);
  const filter = asObject(asObject((listener.listener_filters as JsonValue[])[0]).typed_config);
  const config = asObject(asObject(asObject(filter.client_config).typed_dns_resolver_config).typed_config);
  config.resolvers = [socket(upstream.port)];
  const json = { ...listener, address: socket(port, 'UDP') };
  return encodeResource(
    LISTENER_TYPE,
    'dnsCapture',
    toBinary(ListenerSchema, fromJson(ListenerSchema, json, { registry })),
  );
}

function socket(at: number, protocol = 'TCP'): JsonObject {
  return { socket_address: { address: HOST, port_value: at, protocol } };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end) throw new Error(`did not come about within 10 s: ${envoy.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a sidecar that answers DNS', () => {
  test('gives the addresses of a host, for half a minute, and asks nobody', async () => {
    expect(await resolver.resolve4('made-up.example', { ttl: true })).toEqual([{ address: '240.0.0.7', ttl: 30 }]);
    expect((await resolver.resolve4('several.example')).sort()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(upstream.asked.filter((question) => /made-up|several/.test(question))).toEqual([]);
  });

  test('knows names whatever their case', async () => {
    expect(await resolver.resolve4('Made-UP.Example')).toEqual(['240.0.0.7']);
  });

  test('gives one address for all names below a wildcard, and not for its own', async () => {
    for (const name of ['a.wild.example', 'a.b.wild.example']) {
      expect(await resolver.resolve4(name)).toEqual(['240.0.0.9']);
    }
    await expect(resolver.resolve4('wild.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  test('answers itself for a host that the resolver knows too', async () => {
    expect(await resolver.resolve4('taken.example')).toEqual(['240.0.0.8']);
  });

  test('asks the resolver for all other names, as they are', async () => {
    expect(await resolver.resolve4('elsewhere.example')).toEqual(['192.0.2.1']);
    expect(upstream.asked).toContain('elsewhere.example 1');
  });

  test('passes on at once that there is no such name, as with search domains', async () => {
    const start = performance.now();
    await expect(resolver.resolve4('made-up.example.shop.svc')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolve4('elsewhere')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(performance.now() - start).toBeLessThan(2000);
    expect(upstream.asked.filter((question) => question.startsWith('elsewhere'))).not.toContain('elsewhere.shop 1');
  });

  test('is silent when the resolver is, for longer than applications wait', async () => {
    await expect(resolverOf(5000).resolve4('slow.example')).rejects.toMatchObject({ code: 'ETIMEOUT' });
  }, 15_000);

  // Why the redirect rules leave these questions to the pod's resolver.
  test('denies what Envoy can not answer: a host in the other family, other types', async () => {
    await expect(resolver.resolve6('made-up.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolveTxt('elsewhere.example')).rejects.toMatchObject({ code: 'ENOTIMP' });
  });

  test('answers a thousand questions at once', async () => {
    const names = Array.from({ length: 1000 }, (_, index) =>
      index % 2 === 0 ? `n${index}.wild.example` : 'made-up.example',
    );
    const answers: string[][] = [];
    for (let at = 0; at < names.length; at += 200) {
      answers.push(...(await Promise.all(names.slice(at, at + 200).map((name) => resolver.resolve4(name)))));
    }
    expect(answers.filter(([address]) => address === '240.0.0.9')).toHaveLength(500);
    expect(answers.filter(([address]) => address === '240.0.0.7')).toHaveLength(500);
  }, 20_000);

  test('is not hurt by garbage', async () => {
    const sender = createSocket('udp4');
    const lengths = [1, 5, 11, 12, 13, 17, 40, 300, 1400];
    const question = Buffer.from('0001010000010000000000000161076578616d706c650000010001', 'hex');
    const cut = Array.from({ length: question.length }, (_, index) => question.subarray(0, index + 1));
    // A name that points at itself, and one whose label is longer than the datagram.
    const loops = [
      '00010100000100000000000000c00c00010001',
      '0001010000010000000000003f61',
      '00010100ffffffffffffffff',
    ];
    const all = [
      ...lengths.map((length) => randomBytes(length)),
      ...cut,
      ...loops.map((hex) => Buffer.from(hex, 'hex')),
    ];
    for (const datagram of all) sender.send(datagram, port, HOST);
    await expect(resolver.resolve4('made-up.example')).resolves.toEqual(['240.0.0.7']);
    sender.close();
  });

  test('answers on while hosts come and go', async () => {
    let lost = 0;
    let running = true;
    const steady = (async () => {
      while (running)
        await resolverOf(2000)
          .resolve4('made-up.example')
          .catch(() => lost++);
    })();
    for (let round = 0; round < 5; round++) {
      table.update([listenerOf([...HOSTS, { hostname: `new${round}.example`, addresses: ['240.0.1.1'] }])]);
      await until(async () => (await resolver.resolve4(`new${round}.example`)).length > 0);
    }
    running = false;
    await steady;
    expect(harness.server.acks.proxy(pod.uid)?.rejections() ?? []).toEqual([]);
    await expect(resolver.resolve4('new0.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(lost).toBeLessThanOrEqual(5);
  }, 60_000);
});
