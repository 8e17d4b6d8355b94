import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TelemetryMetrics } from '../../api/telemetry.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { GraphSource } from '../../operator/dashboard/graph-source.ts';
import { OperatorFigures } from '../../operator/dashboard/operator-figures.ts';
import { buildSnapshot } from '../../operator/mesh/mesh-builder.ts';
import { SETTINGS, telemetry } from '../../operator/mesh/testing/objects.ts';
import { keepRecords } from '../../operator/wiring/traffic-records.ts';
import { call } from './support/http-call.ts';
import { MetricsWorld } from './support/metrics-world.ts';
import { find, readPage, type Series, total } from './support/prometheus-page.ts';

/** What two real sidecars show of what they count, as a Telemetry says it, and what the operator hears of it all the same. */

const EMPTY = buildSnapshot(SETTINGS, []);
const SOON = { timeoutMs: 60_000, everyMs: 100 };
const REQUESTS = 'istio_requests_total';
let world: MetricsWorld;
const records = keepRecords(() => world?.snapshot ?? EMPTY);
const graph = new GraphSource({
  figures: new OperatorFigures({
    history: records.history,
    missing: () => [],
    startedAt: records.ledger.startedAt,
    now: Date.now,
  }),
  nodes: () => [],
  roleOf: () => undefined,
  saturation: () => undefined,
  pools: () => [],
});
let agent = new Agent({ keepAlive: true });
/** Requests that were sent since the start. */
let sent = 0;

beforeAll(async () => {
  world = await MetricsWorld.start({ receive: (proxy, message) => records.ledger.receive(proxy, message) });
  const { workloads } = world.snapshot;
  records.nodes.update(world.snapshot, { services: new Set(), workloads: new Set(workloads.keys()) });
}, 90_000);
afterAll(async () => {
  agent.destroy();
  await world?.stop();
});

async function ask(path: string, method = 'GET', headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const { address, service } = world.port('http');
  const host = `http.shop.svc.cluster.local:${service}`;
  sent += 1;
  const { status } = await call({ host: address, port: service, path, method, headers: { ...headers, host }, agent });
  expect(status).toBe(200);
}

type Override = NonNullable<TelemetryMetrics['overrides']>[number];

const say = (...overrides: Override[]) =>
  world.put({ kind: 'Telemetry', object: telemetry('shop/metrics', { metrics: [{ overrides }] }) });

/** Connections of before a change of listeners have their requests counted as before. */
function comeAnew(): void {
  agent.destroy();
  agent = new Agent({ keepAlive: true });
  world.cut();
}

type Side = 'ui' | 'ordering';

/** Waits until a side shows so many requests in all, and gives these series. */
async function shown(side: Side, name: string, wanted: number): Promise<Series[]> {
  let found: Series[] = [];
  await waitUntil(
    `${side} shows ${wanted} of ${name}`,
    async () => {
      const series = (await world.series())[side];
      found = find(series, name);
      const count = total(series, name);
      return count === wanted ? undefined : `it shows ${count}: ${JSON.stringify(found)}`;
    },
    SOON,
  );
  return found;
}

/** Waits until the operator has heard of all requests: from the server for a release of its revision, from the caller for the graph. */
async function operatorKnowsAll(): Promise<void> {
  await waitUntil(
    `the operator knows ${sent} requests`,
    async () => {
      const since = records.ledger.startedAt;
      const services = ['http.shop.svc.cluster.local'];
      const query = { namespace: 'shop', services, revision: 'r1', since, until: Date.now() + 60_000 };
      const { served } = records.ledger.window(query);
      const took = served.durations.reduce((sum, { count }) => sum + count, 0);
      const { edges } = await graph.graph({ seconds: 3600, namespace: undefined });
      const edge = edges.find(({ id }) => id === 'shop/ui>shop/ordering');
      const all = [served.requests, took, edge?.golden.requests];
      return all.every((count) => count === sent) ? undefined : `it knows ${all} of ${edges.map(({ id }) => id)}`;
    },
    SOON,
  );
}

const listenerUpdates = () => world.figure('listener_manager.lds.update_success');

test('a metric that is disabled is gone from the pages, on the side that is said, and no listener is touched', async () => {
  for (let n = 0; n < 4; n++) await ask('/first');
  await shown('ui', REQUESTS, 4);
  await shown('ordering', REQUESTS, 4);
  const before = await listenerUpdates();
  await say(
    { match: { metric: 'REQUEST_COUNT', mode: 'CLIENT' }, disabled: true },
    { match: { metric: 'REQUEST_SIZE', mode: 'SERVER' }, disabled: true },
  );
  for (let n = 0; n < 3; n++) await ask('/second');
  await shown('ordering', REQUESTS, 7);
  await shown('ui', 'istio_request_bytes_count', 7);
  await shown('ordering', 'istio_request_duration_milliseconds_count', 7);
  const pages = await world.texts();
  expect(pages.ui).not.toContain(REQUESTS);
  expect(pages.ordering).not.toContain('istio_request_bytes');
  await operatorKnowsAll();
  expect(await listenerUpdates()).toBe(before);
}, 120_000);

test('without a label series that are alike are added up, buckets too', async () => {
  const before = await listenerUpdates();
  await say();
  for (let n = 0; n < 2; n++) await ask('/odd?grpc=0', 'POST', { 'content-type': 'application/grpc' });
  const codes = (await shown('ui', REQUESTS, sent)).map(({ labels }) => labels.request_protocol);
  expect(codes.sort()).toEqual(['grpc', 'http']);
  for (const side of ['ui', 'ordering'] as const) await shown(side, 'istio_request_duration_milliseconds_count', sent);
  const apart = await world.series();
  await say(
    {
      tagOverrides: {
        request_protocol: { operation: 'REMOVE' },
        grpc_response_status: { operation: 'REMOVE' },
        upstream_cluster: { operation: 'REMOVE' },
        environment: { value: '"it\'s \\"test\\" \\\\ 100%; {a=\\"b\\"}"' },
        destination_version: { value: "'v9'" },
      },
    },
    { match: { customMetric: 'requests_total' }, tagOverrides: { environment: { operation: 'REMOVE' } } },
  );
  for (const side of ['ui', 'ordering'] as const) {
    const [requests, ...others] = await shown(side, REQUESTS, sent);
    expect(others).toEqual([]);
    expect(requests?.labels).toMatchObject({ response_code: '200', destination_version: 'v9' });
    for (const label of ['request_protocol', 'grpc_response_status', 'upstream_cluster', 'environment']) {
      expect(requests?.labels).not.toHaveProperty(label);
    }
    const name = 'istio_request_duration_milliseconds';
    const together = (await world.series())[side];
    const [counted, ...more] = find(together, `${name}_count`);
    expect(more).toEqual([]);
    expect(counted?.value).toBe(sent);
    expect(counted?.labels.environment).toBe('it\'s \\"test\\" \\\\ 100%; {a=\\"b\\"}');
    const buckets = find(together, `${name}_bucket`);
    expect(buckets.map(({ labels }) => labels.le)).toEqual([...new Set(buckets.map(({ labels }) => labels.le))]);
    for (const { labels, value } of buckets) {
      expect(value).toBe(total(apart[side], `${name}_bucket`, { le: labels.le ?? '' }));
    }
    expect(buckets.at(-1)).toMatchObject({ value: sent, labels: { le: '+Inf' } });
    expect(find(together, `${name}_sum`)[0]?.value).toBeCloseTo(total(apart[side], `${name}_sum`), 6);
  }
  await operatorKnowsAll();
  expect(await listenerUpdates()).toBe(before);
}, 120_000);

test('labels are what expressions come to, each side its own, whatever callers choose', async () => {
  await say(
    {
      match: { metric: 'REQUEST_COUNT', mode: 'CLIENT' },
      tagOverrides: {
        method: { value: 'request.method' },
        tenant: { value: "request.headers['x-tenant']" },
        request_protocol: { operation: 'REMOVE' },
      },
    },
    {
      match: { metric: 'REQUEST_DURATION', mode: 'SERVER' },
      tagOverrides: {
        kind: { value: "request.method == 'GET' ? 'read' : 'write'" },
        response_code: { value: '"any"' },
      },
    },
  );
  comeAnew();
  // What came before was not counted so.
  const at = sent;
  const ODD = 'a"b\\c",le="1"} reporter="source",response_flags=';
  for (let n = 0; n < 5; n++) await ask('/get', 'GET', { 'x-tenant': 'blue' });
  for (let n = 0; n < 3; n++) await ask('/put', 'PUT', { 'x-tenant': 'green' });
  for (let n = 0; n < 2; n++) await ask('/odd', 'PUT', { 'x-tenant': ODD });
  await ask('/none');
  const ui = await shown('ui', REQUESTS, 11);
  const labelled = ui.map(({ labels, value }) => [labels.method, labels.tenant, value]);
  expect(labelled).toEqual(
    expect.arrayContaining([
      ['GET', 'blue', 5],
      ['PUT', 'green', 3],
      ['PUT', 'a\\"b\\\\c\\",le=\\"1\\"} reporter=\\"source\\",response_flags=', 2],
      ['GET', 'unknown', 1],
    ]),
  );
  expect(labelled).toHaveLength(4);
  for (const { labels } of ui) {
    expect(labels).toMatchObject({ reporter: 'source', destination_workload: 'ordering', response_code: '200' });
    expect(Object.keys(labels).some((name) => name.startsWith('x_') || name === 'request_protocol')).toBe(false);
  }
  const duration = 'istio_request_duration_milliseconds';
  const server = await shown('ordering', `${duration}_count`, 11);
  expect(server.map(({ labels, value }) => [labels.kind, labels.response_code, value]).sort()).toEqual([
    ['read', 'any', 6],
    ['write', 'any', 5],
  ]);
  await shown('ui', `${duration}_count`, at + 11);
  const { ordering } = await world.series();
  expect(total(ordering, `${duration}_bucket`, { kind: 'write', le: '+Inf' })).toBe(5);
  // The other side, and other metrics, are as they were.
  expect(total(ordering, REQUESTS)).toBe(at + 11);
  expect(find(ordering, REQUESTS).every(({ labels }) => labels.method === undefined)).toBe(true);
  await operatorKnowsAll();
}, 120_000);

test('bytes that are no text make no page that Prometheus would refuse', async () => {
  const latin = Buffer.from([0x61, 0xff, 0xfe, 0xc3]).toString('latin1');
  await ask('/bytes', 'GET', { 'x-tenant': latin });
  const ui = await shown('ui', REQUESTS, 12);
  expect(ui.map(({ labels }) => labels.tenant)).toContain('a???');
  await operatorKnowsAll();
}, 120_000);

test('overrides that change under load lose no request, and the operator counts them all', async () => {
  let isLoaded = true;
  const load = async (): Promise<void> => {
    while (isLoaded) await ask('/load');
  };
  const loads = [load(), load()];
  for (const value of ['request.path', "'constant'", 'request.host', 'response.code', "'end'"]) {
    await say({ match: { metric: 'REQUEST_COUNT' }, tagOverrides: { changing: { value } } });
    const at = sent;
    await waitUntil('more requests', () => Promise.resolve(sent > at + 20 ? undefined : `${sent - at}`), SOON);
  }
  isLoaded = false;
  await Promise.all(loads);
  const [requests, ...others] = (await world.series()).ui.filter(({ name }) => name === REQUESTS);
  expect(requests?.labels.changing).toBe('end');
  expect(others.every(({ labels }) => labels.changing === 'end')).toBe(true);
  await operatorKnowsAll();
}, 180_000);

test('what is no longer said is no longer so', async () => {
  await world.remove('shop/metrics');
  await waitUntil(
    'the page that everybody has',
    async () => {
      const { ui } = await world.series();
      const left = find(ui, REQUESTS).filter(({ labels }) => labels.changing !== undefined);
      return left.length === 0 && find(ui, REQUESTS).length > 0 ? undefined : JSON.stringify(left);
    },
    SOON,
  );
  for (const page of Object.values(await world.texts())) {
    expect(page).not.toContain('_tagged');
    expect(readPage(page).length).toBeGreaterThan(10);
  }
}, 120_000);
