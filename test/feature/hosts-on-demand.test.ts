import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LOADING_ANNOTATION } from '../../api/pod-names.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import type { OutboundPolicy } from '../../operator/mesh/snapshot.ts';
import { pod, SETTINGS, serviceEntry, virtualService } from '../../operator/mesh/testing/objects.ts';
import { LISTENER_TYPE } from '../../operator/xds/resource.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';
import { type EnvoyProcess, startEnvoy } from './support/envoy-process.ts';
import { freePort } from './support/free-port.ts';
import { call as callAt } from './support/http-call.ts';
import { httpListener, MeshOnStream, sentResources } from './support/mesh-on-stream.ts';
import { serviceAt } from './support/service-at.ts';

const SERVICES = 300;
const SCANNED = 1000;
const ANSWER_MS = 10_000;
const fqdn = (name: string) => `${name}.shop.svc.cluster.local`;

/** A sidecar with a mesh of its own, of which it is sent what its requests are for. */
class Sidecar {
  readonly mesh: MeshOnStream;
  harness: AdsHarness | undefined;
  private envoy: EnvoyProcess | undefined;
  private pod: TestPod | undefined;
  private at = 0;

  constructor(mode: OutboundPolicy) {
    this.mesh = new MeshOnStream({ ...SETTINGS, outboundTrafficPolicy: { mode } });
  }

  async start(loading: 'eager' | 'on-demand', objects: readonly MeshObject[]): Promise<void> {
    this.harness = await startHarness(this.mesh.sources);
    this.pod = this.harness.addPod('client');
    const own = pod('client', { uid: this.pod.uid, address: this.pod.ips[0] ?? '' });
    own.metadata = { ...own.metadata, annotations: { ...own.metadata?.annotations, [LOADING_ANNOTATION]: loading } };
    this.at = await freePort();
    this.mesh.put({ kind: 'Pod', object: own }, ...objects);
    this.listen(loading);
    const { port: adsPort, rootPem } = this.harness;
    this.envoy = await startEnvoy({ nodeId: nodeIdOf(this.pod), token: this.pod.token, adsPort, rootPem });
    await this.until(() => accepts(this.at));
  }

  listen(loading: 'eager' | 'on-demand'): void {
    this.mesh.listeners.update([httpListener(this.at, 80, loading === 'on-demand')]);
  }

  /** The control plane goes, and comes again after what happens meanwhile. */
  async restart(meanwhile: () => Promise<void>): Promise<void> {
    const { port = 0 } = this.harness ?? {};
    await this.harness?.stop();
    await meanwhile();
    this.harness = await startHarness(this.mesh.sources, {}, { atPort: port });
    if (this.pod !== undefined) this.harness.pods.set(this.pod.uid, this.pod);
  }

  /** Status and body of the answer, or the error. */
  async call(host: string): Promise<string> {
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const { status, body } = await callAt({ port: this.at, headers: { host }, signal });
      return `${status} ${body}`;
    } catch (error) {
      return `error: ${String(error)}`;
    }
  }

  async admin(path: string): Promise<string> {
    return (await this.envoy?.admin(path)) ?? '';
  }

  /** Names of the virtual hosts that it has. */
  async hosts(): Promise<string[]> {
    const dump = JSON.parse(await this.admin('/config_dump?resource=dynamic_route_configs')) as {
      configs?: { route_config: { virtual_hosts?: { name: string }[] } }[];
    };
    return (dump.configs ?? []).flatMap((one) => (one.route_config.virtual_hosts ?? []).map(({ name }) => name)).sort();
  }

  async hostsSent(): Promise<number> {
    return this.harness === undefined ? 0 : ((await sentResources(this.harness)).get('VirtualHost') ?? 0);
  }

  async until(holds: () => Promise<boolean>): Promise<void> {
    for (const end = performance.now() + 15_000; performance.now() < end; ) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`did not come about: ${this.envoy?.log()}`);
  }

  async stop(): Promise<void> {
    await this.envoy?.stop();
    await this.harness?.stop();
  }
}

/** Whether anything listens on a port of loopback. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Answers for a host by itself. */
function answering(name: string, host: string, body: string): MeshObject {
  const http = [{ directResponse: { status: 200, body: { string: body } } }];
  return { kind: 'VirtualService', object: virtualService(`shop/${name}`, { hosts: [host], http }) };
}

async function startBackend(): Promise<{ server: Server; port: number }> {
  const server = createServer((_, response) => response.end('app'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Listening on an address and port, the server has both.
  return { server, port: (server.address() as AddressInfo).port };
}

describe('a sidecar with virtual hosts on demand', () => {
  const sidecar = new Sidecar('ALLOW_ANY');
  const { mesh } = sidecar;
  let backend: Awaited<ReturnType<typeof startBackend>>;

  beforeAll(async () => {
    backend = await startBackend();
    const services = Array.from({ length: SERVICES }, (_, number) => serviceAt(`s${number}`, backend.port));
    await sidecar.start('on-demand', services.flat());
  }, 60_000);

  afterAll(async () => {
    await sidecar.stop();
    backend?.server.close();
  });

  test('starts with none', async () => {
    expect(await sidecar.hosts()).toEqual([]);
    expect(await sidecar.hostsSent()).toBe(0);
  });

  test('is sent each once, whatever it is called by, and by however many at once', async () => {
    const names = ['s1', 's1.shop:80', 's1.shop.svc', 'S1', fqdn('s1'), 's2', fqdn('s3')];
    const answers = await Promise.all([...names, ...names, ...names].map((name) => sidecar.call(name)));
    expect(new Set(answers)).toEqual(new Set(['200 app']));
    expect(await sidecar.hosts()).toEqual(['s1', 's2', 's3'].map((name) => `80/${fqdn(name)}`));
    const before = await sidecar.hostsSent();
    for (const name of ['s1', 's1.shop', 's1:8080', 's2.shop', 's3']) expect(await sidecar.call(name)).toBe('200 app');
    expect(await sidecar.hostsSent()).toBe(before);
  });

  test('is sent a host that appears after it was asked for in vain, and loses it with the Service', async () => {
    expect(await sidecar.call('later')).toBe('503 no healthy upstream');
    expect(await sidecar.hosts()).toContain('80/later|asked');
    mesh.put(...serviceAt('later', backend.port));
    await sidecar.until(async () => (await sidecar.call('later')) === '200 app');
    expect(await sidecar.hosts()).not.toContain('80/later|asked');
    for (const kind of ['Service', 'EndpointSlice'] as const) {
      mesh.apply([{ kind, key: kind === 'Service' ? 'shop/later' : 'shop/later-1', object: undefined }]);
    }
    await sidecar.until(async () => (await sidecar.call('later')) === '503 no healthy upstream');
    mesh.put(...serviceAt('later', backend.port));
    await sidecar.until(async () => (await sidecar.call('later')) === '200 app');
  });

  test('never takes a host for one that a wildcard covers, whichever it asked for or came first', async () => {
    const entry = serviceEntry('shop/wild', {
      hosts: ['*.example.com'],
      location: 'MESH_EXTERNAL',
      resolution: 'NONE',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    });
    mesh.put(answering('one', 'one.example.com', 'one'));
    expect(await sidecar.call('x.example.com')).toBe('503 no healthy upstream');
    mesh.put({ kind: 'ServiceEntry', object: entry }, answering('wild', '*.example.com', 'wild'));
    await sidecar.until(async () => (await sidecar.call('x.example.com')) === '200 wild');
    expect(await sidecar.call('one.example.com')).toBe('200 one');
    expect(await sidecar.call('y.example.com')).toBe('200 wild');
    mesh.put(answering('two', 'two.example.com', 'two'));
    await sidecar.until(async () => (await sidecar.call('two.example.com')) === '200 two');
  });

  test('has looked up a name before a first request goes there', async () => {
    const entry = serviceEntry('shop/named', {
      hosts: ['named.test'],
      location: 'MESH_EXTERNAL',
      resolution: 'DNS',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: backend.port }],
      endpoints: [{ address: 'localhost' }],
    });
    mesh.put({ kind: 'ServiceEntry', object: entry });
    await sidecar.until(async () => /named\.test::127\.0\.0\.1:/.test(await sidecar.admin('/clusters')));
    expect(await sidecar.call('named.test')).toBe('200 app');
  });

  test('has what it asked for again when its listener went and comes again', async () => {
    mesh.listeners.update([], [[LISTENER_TYPE, 'on 80']]);
    await sidecar.until(async () => !(await sidecar.admin('/listeners')).includes('on 80::'));
    sidecar.listen('on-demand');
    await sidecar.until(async () => (await sidecar.call('s1')) === '200 app');
    for (const name of ['s1', 's2', fqdn('s3'), 's4']) expect(await sidecar.call(name)).toBe('200 app');
  });

  test('goes on over restarts of the control plane: what waits is answered, and nothing is sent again', async () => {
    for (const round of [10, 20, 30, 40, 50, 60]) {
      let waits: readonly Promise<string>[] = [];
      await sidecar.restart(async () => {
        expect(await sidecar.call('s1')).toBe('200 app');
        waits = [`s${round}`, `s${round}.shop`, `s${round + 1}`].map((name) => sidecar.call(name));
        await new Promise((resolve) => setTimeout(resolve, 50));
      });
      expect(await Promise.all(waits)).toEqual(['200 app', '200 app', '200 app']);
      expect(await sidecar.call(`s${round + 2}`)).toBe('200 app');
      expect(await sidecar.hostsSent()).toBeLessThanOrEqual(3);
    }
  }, 120_000);

  test('asks no more when it has asked for too many hosts that nobody knows', async () => {
    const names = Array.from({ length: SCANNED }, (_, number) => `made-up-${number}.test`);
    const answers = new Set<string>();
    for (let start = 0; start < SCANNED; start += 50) {
      const some = names.slice(start, start + 50).map((name) => sidecar.call(name));
      for (const answer of await Promise.all(some)) answers.add(answer);
    }
    expect(answers).toEqual(new Set(['503 no healthy upstream']));
    await sidecar.until(async () => (await sidecar.hosts()).includes('80/*|unknown'));
    const hosts = await sidecar.hosts();
    expect(hosts.filter((name) => name.endsWith('|asked'))).toEqual([]);
    expect(hosts).toContain(`80/${fqdn('s200')}`);
    const before = await sidecar.hostsSent();
    expect(await sidecar.call('one-more.test')).toBe('503 no healthy upstream');
    for (const name of ['s1', 's201', 's202.shop']) expect(await sidecar.call(name)).toBe('200 app');
    expect(await sidecar.call('one.example.com')).toBe('200 one');
    expect(await sidecar.hostsSent()).toBe(before);
  }, 60_000);

  test('goes on asking nothing after a restart of the control plane then, and hears of what comes', async () => {
    await sidecar.restart(async () => undefined);
    await sidecar.until(async () => (await sidecar.call('s203')) === '200 app');
    mesh.put(...serviceAt('new', backend.port));
    await sidecar.until(async () => (await sidecar.call('new.shop')) === '200 app');
    expect(await sidecar.hostsSent()).toBeLessThanOrEqual(2);
  }, 60_000);
});

test.each<[OutboundPolicy, string]>([
  ['ALLOW_ANY', '503 no healthy upstream'],
  ['REGISTRY_ONLY', '502 '],
])(
  'hosts that nobody knows are answered as with eager loading, under %s',
  async (policy, answer) => {
    const sidecars = { eager: new Sidecar(policy), 'on-demand': new Sidecar(policy) };
    try {
      for (const loading of ['eager', 'on-demand'] as const) {
        const sidecar = sidecars[loading];
        await sidecar.start(loading, serviceAt('s', 9));
        for (const name of ['nobody', 'nobody.test', 'nobody.test:8080', '[::1]:80', '127.9.9.9', '*.test']) {
          expect([loading, name, await sidecar.call(name)]).toEqual([loading, name, answer]);
        }
      }
    } finally {
      for (const sidecar of Object.values(sidecars)) await sidecar.stop();
    }
  },
  60_000,
);
