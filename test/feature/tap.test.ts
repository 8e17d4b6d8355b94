import { connect } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { PodHttp } from '../../cli/forward/pod-http.ts';
import { tapPod } from '../../cli/tap/tap-pod.ts';
import { buildTapRequest, type TapFilters } from '../../cli/tap/tap-request.ts';
import type { TracedRequest } from '../../cli/tap/traced-request.ts';
import { type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { freePort } from './support/free-port.ts';
import { call } from './support/http-call.ts';
import { addressOf, backedService, SidecarOnStream } from './support/sidecar-on-stream.ts';

/** The machine may be busy. */
jest.setTimeout(60_000);

let backend: EchoBackend;
let sidecar: SidecarOnStream;
let port = 0;
const POD = { name: 'client', addresses: ['10.0.0.1'] };

beforeAll(async () => {
  backend = await startEchoBackend('orders');
  port = await freePort();
  sidecar = new SidecarOnStream({ loading: 'eager', ports: [port] });
  await sidecar.start(backedService('orders', 1, { name: 'http', port, backend: backend.port }));
});
afterAll(async () => {
  await sidecar?.stop();
  backend?.close();
});

const admin = (): PodHttp =>
  new PodHttp(() => Promise.resolve(connect(sidecar.envoy.adminPort, '127.0.0.1')), 'the sidecar of shop/client');
const ask = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  call({ host: addressOf(1), port, path, headers: { host: 'orders', ...headers } });

/** What is seen of some requests, made once the watch has begun; it ends after `count`. */
async function watch(
  filters: TapFilters,
  count: number,
  requests: () => Promise<unknown>,
): Promise<readonly TracedRequest[]> {
  const [http, end] = [admin(), new AbortController()];
  const seen: TracedRequest[] = [];
  let made: Promise<unknown> = Promise.resolve();
  const begun = () => {
    made = requests();
  };
  for await (const request of tapPod(http, POD, buildTapRequest(filters), end.signal, begun)) {
    if (seen.push(request) === count) end.abort();
  }
  await made;
  http.close();
  return seen;
}

test('requests are seen with their answers, and nothing that is secret', async () => {
  const [request] = await watch({ sample: 100 }, 1, () =>
    ask('/cart?token=hidden', { authorization: 'Bearer hidden' }),
  );
  expect(request).toMatchObject({
    ...{ direction: 'outbound', method: 'GET', authority: 'orders', path: '/cart?token=[redacted]', status: '200' },
    milliseconds: expect.any(Number),
    destination: `${addressOf(1)}:${port}`,
  });
  expect(JSON.stringify(request)).not.toContain('hidden');
});

test('Envoy itself picks those that are asked for', async () => {
  const seen = await watch({ path: '/b*', method: 'get', to: 'orders', status: '2xx', sample: 100 }, 2, async () => {
    for (const path of ['/a', '/b1', '/c', '/b2?x=1']) await ask(path);
  });
  expect(seen.map(({ path }) => path)).toEqual(['/b1', '/b2?x=1']);
});

test('who comes second is told so, and may watch once the first has ended', async () => {
  const [first, second] = [admin(), admin()];
  const end = new AbortController();
  const tap = (http: PodHttp) => tapPod(http, POD, buildTapRequest({ sample: 100 }), end.signal, () => void ask('/d'));
  const watching = tap(first);
  expect((await watching.next()).value).toMatchObject({ path: '/d' });
  await expect(tap(second).next()).rejects.toThrow('somebody else watches client');
  end.abort();
  await watching.next();
  first.close();
  second.close();
  await sidecar.until(async () => {
    const seen = await watch({ sample: 100 }, 1, () => ask('/e')).catch(() => []);
    return seen.length === 1;
  });
});
