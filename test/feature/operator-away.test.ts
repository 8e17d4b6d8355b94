import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LOADING_ANNOTATION } from '../../api/pod-names.ts';
import { pod, SETTINGS } from '../../operator/mesh/testing/objects.ts';
import { CLUSTER_WAIT_MS } from '../../operator/xds/http-filters.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';
import { type EnvoyProcess, startEnvoy } from './support/envoy-process.ts';
import { freePort } from './support/free-port.ts';
import { httpListener, MeshOnStream } from './support/mesh-on-stream.ts';
import { serviceAt } from './support/service-at.ts';

/** What a sidecar with configuration on demand does while no operator answers, and that its patience bounds nothing else. */

const LATE_MS = CLUSTER_WAIT_MS + 2000;
const BODY = 'x'.repeat(20_000);

const mesh = new MeshOnStream(SETTINGS);
let backend: Server;
let harness: AdsHarness;
let client: TestPod;
let envoy: EnvoyProcess;
let at: number;
/** Requests that the application has had. */
let asked = 0;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly tookMs: number;
}

/** One request over a connection of its own, as bytes: what is sent of it, and when, is ours. @param body sent after its length @param length what its header says */
function call(host: string, path = '/', body = '', length = body.length): Promise<Answer> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect(at, '127.0.0.1', () => {
      const method = length > 0 ? 'POST' : 'GET';
      socket.write(
        `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n${body}`,
      );
    });
    let heard = '';
    socket.setEncoding('utf8').on('data', (data: string) => {
      heard += data;
    });
    socket.on('error', reject).on('close', () => {
      const [head = '', text = ''] = heard.split('\r\n\r\n');
      resolve({ status: Number(head.split(' ')[1]), body: text, tookMs: performance.now() - begun });
    });
  });
}

/** A sidecar tries to connect again after five seconds at the latest (ADS_CONFIG); Envoy's default would be thirty. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 12_000; performance.now() < end; ) {
    if (await holds().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`did not come about: ${envoy.log()}`);
}

beforeAll(async () => {
  backend = createServer((request, response) => {
    let length = 0;
    request.on('data', (data: Buffer) => {
      length += data.length;
    });
    asked++;
    request.on('end', () => setTimeout(() => response.end(`got ${length}`), request.url === '/late' ? LATE_MS : 0));
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const { port } = backend.address() as AddressInfo;
  harness = await startHarness(mesh.sources);
  client = harness.addPod('client');
  const own = pod('client', { uid: client.uid, address: client.ips[0] ?? '' });
  own.metadata = { ...own.metadata, annotations: { ...own.metadata?.annotations, [LOADING_ANNOTATION]: 'on-demand' } };
  at = await freePort();
  const names = ['known', 'late', 'late-body', 'new', 'new-body', 'new-part'];
  mesh.put({ kind: 'Pod', object: own }, ...names.flatMap((name) => serviceAt(name, port)));
  mesh.listeners.update([httpListener(at, 80, true)]);
  envoy = await startEnvoy({
    nodeId: nodeIdOf(client),
    token: client.token,
    adsPort: harness.port,
    rootPem: harness.rootPem,
  });
  await until(async () => (await call('known')).status === 200);
}, 60_000);

afterAll(async () => {
  await envoy?.stop();
  await harness?.stop();
  backend?.close();
});

test('on demand, one for a host that nobody tells of ends after a while, and nothing else does, however silent', async () => {
  const { port } = harness;
  const before = asked;
  const late = [
    call('known', '/late'),
    call('known', '/late', BODY),
    call('late', '/late'),
    call('late-body', '/late', BODY),
  ];
  await until(async () => asked === before + late.length);
  await harness.stop();
  const [known, ...others] = await Promise.all([
    call('known'),
    call('new'),
    call('new-body', '/', BODY),
    call('new-part', '/', BODY, 2 * BODY.length),
  ]);
  expect(known?.status).toBe(200);
  for (const { status, tookMs } of others) {
    expect([504, 408]).toContain(status);
    expect(tookMs).toBeGreaterThan(CLUSTER_WAIT_MS - 1000);
  }
  // Those that asked for their host themselves, too.
  expect((await Promise.all(late)).map(({ status, body }) => [status, body])).toEqual([
    [200, 'got 0'],
    [200, `got ${BODY.length}`],
    [200, 'got 0'],
    [200, `got ${BODY.length}`],
  ]);
  harness = await startHarness(mesh.sources, {}, { atPort: port });
  harness.pods.set(client.uid, client);
  for (const host of ['new', 'new-body', 'new-part']) await until(async () => (await call(host)).status === 200);
}, 120_000);
