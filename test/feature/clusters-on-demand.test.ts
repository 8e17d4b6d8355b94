import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LOADING_ANNOTATION } from '../../api/pod-names.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { pod, SETTINGS, service, slice, virtualService } from '../../operator/mesh/testing/objects.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';
import { type EnvoyProcess, startEnvoy } from './support/envoy-process.ts';
import { freePort } from './support/free-port.ts';
import { httpListener, MeshOnStream, sentResources } from './support/mesh-on-stream.ts';

const SERVICES = 60;
const LARGE = 3_000_000;
const nameOf = (service: string) => `outbound|80||${service}.shop.svc.cluster.local`;

/** Answers with its name and the number of bytes it was sent; opens any WebSocket. */
async function startBackend(name: string): Promise<{ port: number; requests: () => number; server: Server }> {
  let requests = 0;
  const server = createServer((incoming, response) => {
    let bytes = 0;
    incoming.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    incoming.on('end', () => {
      requests += 1;
      response.end(`${name} ${bytes}`);
    });
  });
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Listening on an address and port, the server has both.
  return { port: (server.address() as AddressInfo).port, requests: () => requests, server };
}

describe('a sidecar with clusters on demand', () => {
  const mesh = new MeshOnStream(SETTINGS);
  const { listeners, sources } = mesh;
  const backends: Awaited<ReturnType<typeof startBackend>>[] = [];
  let harness: AdsHarness;
  let client: TestPod;
  let envoy: EnvoyProcess;
  let at: number;

  beforeAll(async () => {
    backends.push(await startBackend('one'), await startBackend('two'));
    harness = await startHarness(sources);
    client = harness.addPod('client');
    at = await freePort();
    const own = pod('client', { uid: client.uid, address: client.ips[0] ?? '' });
    own.metadata = {
      ...own.metadata,
      annotations: { ...own.metadata?.annotations, [LOADING_ANNOTATION]: 'on-demand' },
    };
    mesh.put(
      { kind: 'Pod', object: own },
      ...Array.from({ length: SERVICES }, (_, number) => serviceAt(`s${number}`, 0)).flat(),
      ...serviceAt('db', 0, { name: 'tcp-db', port: 5432 }),
    );
    listeners.update([httpListener(at, 80, true)]);
    envoy = await startEnvoy({
      nodeId: nodeIdOf(client),
      token: client.token,
      adsPort: harness.port,
      rootPem: harness.rootPem,
    });
    while (!(await envoy.admin('/listeners')).includes('on 80::')) await new Promise((done) => setTimeout(done, 10));
  }, 60_000);

  afterAll(async () => {
    await envoy?.stop();
    await harness?.stop();
    for (const { server } of backends) server.close();
  });

  /** A Service with one endpoint outside of the mesh, at a backend. */
  function serviceAt(name: string, backend: number, port = { name: 'http', port: 80 }): MeshObject[] {
    const target = backends[backend]?.port ?? 0;
    const app = pod(`${name}-${backend}`, { injected: false, address: '127.0.0.1' });
    const ports = [{ ...port, targetPort: target }];
    return [
      { kind: 'Pod', object: app },
      { kind: 'Service', object: service(name, { app: name }, { clusterIP: 'None', ports }) },
      { kind: 'EndpointSlice', object: slice(name, [app], { [port.name]: target }) },
    ];
  }

  /** What a request comes to: status and body, or the error. @param cutMs after so long the client lets go */
  function call(
    name: string,
    options: { body?: Buffer | readonly Buffer[]; upgrade?: boolean; cutMs?: number } = {},
  ): Promise<string> {
    const { body, upgrade = false, cutMs } = options;
    const headers = { host: name, ...(upgrade ? { upgrade: 'websocket', connection: 'upgrade' } : {}) };
    return new Promise((resolve) => {
      const method = body === undefined ? 'GET' : 'POST';
      const sent = request({ host: '127.0.0.1', port: at, method, headers }, (response: IncomingMessage) => {
        let text = '';
        response.on('data', (data: Buffer) => {
          text += data.toString();
        });
        response.on('end', () => resolve(`${response.statusCode} ${text}`));
      });
      sent.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(`${response.statusCode}`);
      });
      sent.on('error', (error) => resolve(error.message));
      sent.setTimeout(10_000, () => sent.destroy(new Error('no answer within 10 s')));
      if (Buffer.isBuffer(body) || body === undefined) sent.end(body);
      else void stream(sent, body);
      if (cutMs !== undefined) setTimeout(() => sent.destroy(new Error('let go')), cutMs);
    });
  }

  async function stream(sent: ReturnType<typeof request>, parts: readonly Buffer[]): Promise<void> {
    for (const part of parts) {
      sent.write(part);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    sent.end();
  }

  /** Outbound clusters that the proxy has. */
  async function held(): Promise<string[]> {
    const { configs } = JSON.parse(await envoy.admin('/config_dump?resource=dynamic_active_clusters')) as {
      configs?: { cluster: { name: string } }[];
    };
    const names = (configs ?? []).map(({ cluster }) => cluster.name);
    return names.filter((name) => name.startsWith('outbound|')).sort();
  }

  async function until(holds: () => Promise<boolean>): Promise<void> {
    for (const end = performance.now() + 15_000; performance.now() < end; ) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`did not come about: ${envoy.log()}`);
  }

  test('starts without any', async () => {
    expect(await held()).toEqual([]);
  });

  test('serves first requests of every sort, and then has what they used', async () => {
    const parts = Array.from({ length: 10 }, () => Buffer.alloc(1000));
    const answers = await Promise.all([
      call('s1'),
      call('s2.shop', { body: Buffer.alloc(100) }),
      call('s3', { body: Buffer.alloc(LARGE) }),
      call('s4', { body: parts }),
      call('s5', { upgrade: true }),
      ...Array.from({ length: 20 }, () => call('s6')),
    ]);
    expect(answers).toEqual([
      '200 one 0',
      '200 one 100',
      `200 one ${LARGE}`,
      '200 one 10000',
      '101',
      ...Array.from({ length: 20 }, () => '200 one 0'),
    ]);
    expect(await held()).toEqual([1, 2, 3, 4, 5, 6].map((n) => nameOf(`s${n}`)));
  });

  test('survives clients that let go while a cluster is fetched, with a body and without', async () => {
    for (let number = 20; number < 50; number++) {
      const cutMs = (number % 10) / 2;
      const body = number % 2 === 0 ? { body: [Buffer.alloc(50_000), Buffer.alloc(50_000)] } : {};
      await call(`s${number}`, { ...body, cutMs });
    }
    const answers = await Promise.all(Array.from({ length: 30 }, (_, number) => call(`s${number + 20}`)));
    expect(new Set(answers)).toEqual(new Set(['200 one 0']));
  });

  test('hears of changes to what it has, and of no others', async () => {
    const pushes = async () => {
      const metric = await harness.registry.getSingleMetric('heddle_ads_pushes_total')?.get();
      return metric?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
    };
    const before = await pushes();
    mesh.put(...serviceAt('s10', 1));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await pushes()).toBe(before);
    mesh.put(...serviceAt('s1', 1));
    await until(async () => (await call('s1')) === '200 two 0');
    expect(await call('s10')).toBe('200 two 0');
  });

  test('is sent shares of a route that it never used when a request falls on them', async () => {
    const route = ['s11', 's12'].map((host) => ({ destination: { host }, weight: 50 }));
    mesh.put({ kind: 'VirtualService', object: virtualService('shop/split', { hosts: ['s11'], http: [{ route }] }) });
    const answers: string[] = [];
    await until(async () => {
      answers.push(await call('s11'));
      return (await held()).includes(nameOf('s12'));
    });
    expect(new Set(answers)).toEqual(new Set(['200 one 0']));
  });

  test('is sent at once what nothing would wait for: clusters that get copies of requests', async () => {
    mesh.put(...serviceAt('copies', 1));
    expect(await held()).not.toContain(nameOf('copies'));
    const route = [{ destination: { host: 's13' } }];
    const spec = { hosts: ['s13'], http: [{ route, mirror: { host: 'copies' } }] };
    mesh.put({ kind: 'VirtualService', object: virtualService('shop/mirrored', spec) });
    await until(async () => (await held()).includes(nameOf('copies')));
    const before = backends[1]?.requests() ?? 0;
    expect(await call('s13')).toBe('200 one 0');
    await until(async () => backends[1]?.requests() === before + 1);
    mesh.apply([{ kind: 'VirtualService', key: 'shop/mirrored', object: undefined }]);
    await until(async () => !(await held()).includes(nameOf('copies')));
  });

  test('goes on over a restart of the control plane, and is sent nothing that it has', async () => {
    await harness.stop();
    expect(await call('s2')).toBe('200 one 0');
    const waits = call('s14');
    await new Promise((resolve) => setTimeout(resolve, 100));
    harness = await startHarness(sources, {}, { atPort: harness.port });
    harness.pods.set(client.uid, client);
    // Asked for while nobody was there: answered when somebody is, or refused after a bounded time.
    expect(await waits).toMatch(/^(200 one 0|503 )/);
    await until(async () => (await call('s15')) === '200 one 0');
    const sent = await sentResources(harness);
    expect(sent.get('Cluster')).toBeLessThanOrEqual(2);
    expect(sent.get('VirtualHost') ?? 0).toBeLessThanOrEqual(2);
  }, 60_000);

  test('loses a Service that goes, and finds it again when it comes again', async () => {
    const kinds = ['Service', 'EndpointSlice'] as const;
    mesh.apply(kinds.map((kind) => ({ kind, key: `shop/s2${kind === 'Service' ? '' : '-1'}`, object: undefined })));
    await until(async () => !(await held()).includes(nameOf('s2')));
    mesh.put(...serviceAt('s2', 1));
    await until(async () => (await call('s2')) === '200 two 0');
  });
});
