import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { streamMessages } from './support/grpc-echo.ts';
import { call } from './support/http-call.ts';
import { MetricsWorld, type PortName } from './support/metrics-world.ts';
import { find, type Series, total } from './support/prometheus-page.ts';

/** What two real sidecars count of calls, and say of them on their pages. */

const SOON = { timeoutMs: 60_000, everyMs: 100 };
const PRINCIPAL = 'spiffe://cluster.local/ns/shop/sa/default';
let world: MetricsWorld;

beforeAll(async () => {
  world = await MetricsWorld.start();
}, 90_000);
afterAll(() => world?.stop());

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
afterAll(() => agent.destroy());

function ask(path: string, method = 'GET', body?: Buffer) {
  const { address, service } = world.port('http');
  const host = `http.shop.svc.cluster.local:${service}`;
  return call({ host: address, port: service, path, method, headers: { host }, agent }, body);
}

/** Who calls and who is called, as both sides say it. */
function ends(name: PortName) {
  const of = (side: string, labels: Record<string, string>) =>
    Object.fromEntries(Object.entries(labels).map(([key, value]) => [`${side}_${key}`, value]));
  return {
    ...of('source', {
      workload: 'ui',
      workload_namespace: 'shop',
      canonical_service: 'ui',
      canonical_revision: 'v2',
      app: 'ui',
      version: 'v2',
      cluster: 'Kubernetes',
      principal: PRINCIPAL,
    }),
    ...of('destination', {
      workload: 'ordering',
      workload_namespace: 'shop',
      canonical_service: 'ordering',
      canonical_revision: 'latest',
      app: 'ordering',
      version: 'unknown',
      cluster: 'Kubernetes',
      principal: PRINCIPAL,
      service: `${name}.shop.svc.cluster.local`,
      service_name: name,
      service_namespace: 'shop',
    }),
    connection_security_policy: 'mutual_tls',
    response_flags: '-',
  };
}

type Counted = Awaited<ReturnType<MetricsWorld['series']>>;
const NOTHING: Counted = { ui: [], ordering: [] };

/** Waits until a name has grown by so much on both sides, and gives the series. */
async function both(
  name: string,
  labels: Record<string, string>,
  wanted: number,
  before: Counted = NOTHING,
): Promise<Series[]> {
  let found: Series[] = [];
  await waitUntil(
    `${wanted} of ${name} ${JSON.stringify(labels)} on both sides`,
    async () => {
      const { ui, ordering } = await world.series();
      found = [...find(ui, name, labels), ...find(ordering, name, labels)];
      const counts = [
        total(ui, name, labels) - total(before.ui, name, labels),
        total(ordering, name, labels) - total(before.ordering, name, labels),
      ];
      return counts.every((count) => count === wanted) ? undefined : `counted ${counts} in ${JSON.stringify(found)}`;
    },
    SOON,
  );
  return found;
}

/** What the caller's side says besides. */
const asCaller = (name: 'http' | 'tcp') => ({
  reporter: 'source',
  upstream_cluster: `outbound|${world.port(name).service}||${name}.shop.svc.cluster.local`,
});

test('requests are counted on both sides, each with all that is known of both ends', async () => {
  const GOOD = 57;
  const BAD = 13;
  for (let n = 0; n < GOOD; n++) expect((await ask(`/good?n=${n}`)).status).toBe(200);
  for (let n = 0; n < BAD; n++) expect((await ask('/bad?failing=ordering', 'POST')).status).toBe(503);
  const http = { destination_service_name: 'http' };
  const series = await both('istio_requests_total', { ...http, response_code: '200' }, GOOD);
  const labels = { ...ends('http'), request_protocol: 'http', response_code: '200', grpc_response_status: '' };
  expect(series.map((one) => one.labels)).toEqual([
    { ...labels, ...asCaller('http') },
    { ...labels, reporter: 'destination' },
  ]);
  await both('istio_requests_total', { ...http, response_code: '503' }, BAD);
  await both('istio_request_duration_milliseconds_count', http, GOOD + BAD);
  await both('istio_request_duration_milliseconds_bucket', { ...http, le: '+Inf' }, GOOD + BAD);
  await both('istio_requests_total', http, GOOD + BAD);
}, 90_000);

test('so are the bytes of bodies, by their size', async () => {
  const before = await world.series();
  for (let n = 0; n < 5; n++) expect((await ask('/large', 'PUT', Buffer.alloc(50_000))).status).toBe(200);
  await both('istio_request_bytes_bucket', { le: '100000' }, 5, before);
  await both('istio_request_bytes_bucket', { le: '10000' }, 0, before);
  const { ui, ordering } = await world.series();
  for (const side of [ui, ordering]) {
    // What Envoy says of sums is not exact.
    const sum = total(side, 'istio_request_bytes_sum');
    expect(sum).toBeGreaterThan(200_000);
    expect(sum).toBeLessThan(300_000);
    expect(find(side, 'istio_request_bytes_bucket').length).toBeLessThan(100);
  }
  const [large] = find((await world.series()).ui, 'istio_response_bytes_count', { response_code: '200' });
  expect(large?.labels).toMatchObject({ ...ends('http'), reporter: 'source' });
}, 90_000);

test('gRPC is told from other HTTP, with its status', async () => {
  const { address, service } = world.port('grpc');
  const CALLS = 9;
  for (let n = 0; n < CALLS; n++) {
    await streamMessages(address, service, `grpc.shop.svc.cluster.local:${service}`, ['one', 'two']);
  }
  const series = await both('istio_requests_total', { request_protocol: 'grpc' }, CALLS);
  for (const { labels } of series) {
    expect(labels).toMatchObject({ ...ends('grpc'), response_code: '200', grpc_response_status: '0' });
  }
  expect(series).toHaveLength(2);
}, 90_000);

test('a WebSocket is a request, once it has ended', async () => {
  const { address, service } = world.port('http');
  const SOCKETS = 4;
  for (let n = 0; n < SOCKETS; n++) {
    const socket = connect(service, address);
    socket.write(
      `GET /socket HTTP/1.1\r\nhost: http.shop.svc.cluster.local:${service}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
    );
    await once(socket, 'data');
    socket.destroy();
    await once(socket, 'close');
  }
  await both('istio_requests_total', { response_code: '101', request_protocol: 'http' }, SOCKETS);
}, 90_000);

/** What was counted when all connections to a port had ended: the world's own look at whether it is there was one. */
async function atRest(name: PortName): Promise<Counted> {
  let counted = NOTHING;
  await waitUntil(
    'all connections have ended',
    async () => {
      counted = await world.series();
      const open = [counted.ui, counted.ordering].map((side) => {
        const of = (what: string) =>
          total(side, `istio_tcp_connections_${what}_total`, { destination_service_name: name });
        return of('opened') - of('closed');
      });
      return open.every((count) => count === 0) ? undefined : `${open} are open`;
    },
    SOON,
  );
  return counted;
}

test('connections of TCP are counted when they are made and when they end, with their bytes', async () => {
  const { address, service } = world.port('tcp');
  const CONNECTIONS = 6;
  const BYTES = 1000;
  const tcp = { destination_service_name: 'tcp', request_protocol: 'tcp', response_flags: '-' };
  const before = await atRest('tcp');
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(service, address));
  for (const socket of sockets) {
    socket.write(Buffer.alloc(BYTES, 'x'));
    let heard = 0;
    for await (const data of socket.iterator({ destroyOnReturn: false })) {
      heard += (data as Buffer).length;
      if (heard === BYTES) break;
    }
  }
  const [opened] = await both('istio_tcp_connections_opened_total', tcp, CONNECTIONS, before);
  expect(opened?.labels).toEqual({ ...ends('tcp'), request_protocol: 'tcp', ...asCaller('tcp') });
  await both('istio_tcp_connections_closed_total', tcp, 0, before);
  for (const socket of sockets) socket.end();
  const closed = await both('istio_tcp_connections_closed_total', tcp, CONNECTIONS, before);
  await both('istio_tcp_connections_opened_total', tcp, CONNECTIONS, before);
  expect(closed.map(({ labels }) => labels)).toEqual([
    { ...ends('tcp'), request_protocol: 'tcp', ...asCaller('tcp') },
    { ...ends('tcp'), request_protocol: 'tcp', reporter: 'destination' },
  ]);
  await both('istio_tcp_received_bytes_total', tcp, CONNECTIONS * BYTES, before);
  await both('istio_tcp_sent_bytes_total', tcp, CONNECTIONS * BYTES, before);
}, 90_000);

test('one that never reaches its server counts as opened and as closed', async () => {
  const { address, service } = world.port('down');
  const before = await atRest('down');
  const socket = connect(service, address).on('error', () => {});
  socket.resume();
  await once(socket, 'close');
  const down = { destination_service_name: 'down' };
  await waitUntil(
    'both counts',
    async () => {
      const { ui } = await world.series();
      const counts = ['opened', 'closed'].map((what) => {
        const name = `istio_tcp_connections_${what}_total`;
        return total(ui, name, down) - total(before.ui, name, down);
      });
      return counts.every((count) => count === 1) ? undefined : counts.join();
    },
    SOON,
  );
  const [{ labels } = { labels: {} }] = find((await world.series()).ui, 'istio_tcp_connections_closed_total', down);
  expect(labels).toMatchObject({ destination_workload: 'unknown', response_flags: expect.stringContaining('URX') });
}, 90_000);

test('of who calls in plaintext nothing is known', async () => {
  const socket = connect(world.at, '127.0.0.1');
  const { application } = world.port('http');
  socket.write(
    `PROXY TCP4 127.0.0.1 127.0.0.1 40000 ${application}\r\nGET /plain HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
  );
  socket.resume();
  await once(socket, 'close');
  const plain = { connection_security_policy: 'none', response_code: '200' };
  await waitUntil(
    'it is counted',
    async () => (total((await world.series()).ordering, 'istio_requests_total', plain) === 1 ? undefined : 'not yet'),
    SOON,
  );
  const [{ labels } = { labels: {} }] = find((await world.series()).ordering, 'istio_requests_total', plain);
  expect(labels).toMatchObject({
    source_workload: 'unknown',
    source_workload_namespace: 'unknown',
    source_principal: 'unknown',
    source_app: 'unknown',
    source_cluster: 'unknown',
    destination_principal: 'unknown',
    destination_workload: 'ordering',
  });
}, 90_000);

/** Sends so many requests by one connection, without waiting for answers in between. @returns statuses */
async function pipeline(requests: readonly string[]): Promise<Map<string, number>> {
  const { address, service } = world.port('http');
  const socket = connect(service, address);
  let text = '';
  socket.on('data', (data: Buffer) => {
    text += data.toString();
  });
  for (const [index, request] of requests.entries()) {
    const connection = index === requests.length - 1 ? 'close' : 'keep-alive';
    const host = `http.shop.svc.cluster.local:${service}`;
    const sent = `${request} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${connection}\r\ncontent-type: application/grpc\r\n\r\n`;
    if (!socket.write(sent)) await once(socket, 'drain');
  }
  await once(socket, 'close');
  const statuses = new Map<string, number>();
  for (const [, status = ''] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g))
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  return statuses;
}

test('ten thousand paths, and strange methods, make no series of their own', async () => {
  const PATHS = 10_000;
  const before = await world.series();
  const paths = Array.from({ length: PATHS }, (_, index) => `GET /${index}?grpc=0`);
  expect(await pipeline(paths)).toEqual(new Map([['200', PATHS]]));
  for (const method of ['PROPFIND', 'BREW', 'get', 'X'.repeat(100)]) await pipeline([`${method} /odd?grpc=0`]);
  const labels = { destination_service_name: 'http', response_code: '200', request_protocol: 'grpc' };
  await waitUntil(
    'all are counted',
    async () => {
      const { ui } = await world.series();
      const count = total(ui, 'istio_requests_total', labels);
      return count >= PATHS ? undefined : `${count} are counted`;
    },
    SOON,
  );
  const after = await world.series();
  for (const side of ['ui', 'ordering'] as const) {
    const grown = find(after[side], 'istio_requests_total').length - find(before[side], 'istio_requests_total').length;
    // One for the paths, and one for each way in which a method is answered.
    expect(grown).toBeLessThanOrEqual(4);
  }
}, 180_000);

test('a server that answers with ever new statuses makes no more series than there is room for', async () => {
  const FLOOD = 1500;
  const statuses = Array.from({ length: FLOOD }, (_, index) => `GET /flood?grpc=${1000 + index}`);
  expect(await pipeline(statuses)).toEqual(new Map([['200', FLOOD]]));
  await waitUntil(
    'what is too much is counted as such',
    async () => {
      const said = await world.stats('stats_overflow');
      return said.every((text) => Number(/overflow_histogram\{\} (\d+)/.exec(text)?.[1]) > 0) ? undefined : said.join();
    },
    SOON,
  );
  const { ui, ordering } = await world.series();
  for (const side of [ui, ordering]) {
    const histograms = ['duration_milliseconds', 'bytes'].map(
      (name) => find(side, `istio_request_${name}_count`).length,
    );
    // Of that port; others have some too.
    expect(Math.max(...histograms)).toBeLessThanOrEqual(1050);
    expect(find(side, 'istio_requests_total').length).toBeGreaterThan(FLOOD);
  }
}, 180_000);
