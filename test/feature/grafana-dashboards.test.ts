import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { grafanaFiles } from '../../hack/grafana/files.ts';
import { waitFor } from '../../hack/mesh/wait.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { type Board, GrafanaVariables } from './support/grafana-variables.ts';
import { streamMessages } from './support/grpc-echo.ts';
import { call } from './support/http-call.ts';
import { MetricsWorld } from './support/metrics-world.ts';
import { OperatorPage } from './support/operator-page.ts';
import { total } from './support/prometheus-page.ts';
import { PrometheusProcess } from './support/prometheus-process.ts';

/** The dashboards before a real Prometheus that has scraped the pages of two real sidecars and of an operator. */

const boards = [...grafanaFiles().values()].map((text): Board => JSON.parse(text));
const cleanups: (() => unknown)[] = [];
let grafana: GrafanaVariables;

beforeAll(async () => {
  const [prometheus, world] = await Promise.all([PrometheusProcess.start(), MetricsWorld.start()]);
  cleanups.push(
    () => prometheus.stop(),
    () => world.stop(),
  );
  const operator = await OperatorPage.start(new MemoryApi(), cleanups);
  grafana = new GrafanaVariables(prometheus.url);
  // Rates need two looks, and quantiles something between them.
  for (const round of [1, 2]) {
    await callAll(world);
    prometheus.metrics = await page(world, operator, round * 4);
    const [, pushes] = /^heddle_ads_pushes_total\{.*\} (\d+)$/m.exec(prometheus.metrics) ?? [];
    await waitFor('the page in Prometheus', async () => {
      const [found] = await grafana.query('heddle_ads_pushes_total', {});
      return found?.value[1] === pushes ? found : undefined;
    });
  }
}, 90_000);
afterAll(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
});

/** Each kind of call that is counted, one of them failing. */
async function callAll(world: MetricsWorld): Promise<void> {
  const { address: host, service: port } = world.port('http');
  const headers = { host: `http.shop.svc.cluster.local:${port}` };
  for (const path of ['/1', '/2', '/3', '/bad?failing=ordering'])
    await call({ host, port, path, method: 'GET', headers });
  const grpc = world.port('grpc');
  await streamMessages(grpc.address, grpc.service, `grpc.shop.svc.cluster.local:${grpc.service}`, ['one']);
  const tcp = world.port('tcp');
  const socket = connect(tcp.service, tcp.address);
  socket.write('hello');
  await once(socket, 'data');
  socket.end();
  await once(socket, 'close');
}

/** @param requests of HTTP that were made so far; histograms come to the page later than counters */
async function page(world: MetricsWorld, operator: OperatorPage, requests: number): Promise<string> {
  const counted = await waitFor('all calls on the pages', async () => {
    const { ui, ordering } = await world.series();
    const http = { destination_service_name: 'http' };
    const tcp = { destination_service_name: 'tcp', destination_workload: 'ordering' };
    const hasAll = [ui, ordering].every(
      (side) =>
        total(side, 'istio_request_duration_milliseconds_count', http) === requests &&
        total(side, 'istio_tcp_sent_bytes_total', tcp) > 0,
    );
    return hasAll ? [...ui, ...ordering] : undefined;
  });
  const lines = new Map<string, string>();
  const add = (line: string): void => void lines.set(line.slice(0, line.lastIndexOf(' ')), line);
  // The page leaves out what nothing was counted of; pools that are never full are such.
  const overflows = (await world.stats('upstream_.*_overflow')).flatMap((text) => text.split('\n'));
  for (const line of overflows.filter((text) => text.startsWith('envoy_'))) add(line);
  for (const { name, labels, value } of counted) {
    const pairs = Object.entries(labels).map(([key, said]) => `${key}="${said}"`);
    add(`${name}{${pairs.join(',')}} ${value}`);
  }
  const own = await operator.next();
  // Of another Canary, as Prometheus stores it where it gives what it scrapes a namespace itself.
  const exported = own
    .split('\n')
    .filter((line) => line.startsWith('heddle_canary_') && line.includes('namespace="shop"'))
    .map((line) =>
      line.replace(
        'namespace="shop",canary="orders"',
        'namespace="heddle-system",exported_namespace="market",canary="stalls"',
      ),
    );
  return [...lines.values(), own.trimEnd(), ...exported, ''].join('\n');
}

/** What a panel's first query shows when a reader chose so. */
async function shown(uid: string, title: string, chosen: Readonly<Record<string, string>>) {
  const expr = boards.find((one) => one.uid === uid)?.panels.find((panel) => panel.title === title)?.targets?.[0]?.expr;
  if (expr === undefined) throw new Error(`${uid} has no panel ${title}`);
  return grafana.query(expr, chosen);
}

/** Labels that a query's series must have: those that it sums by, and those of its legend. */
function labelsOf(expr: string, legend: string): string[] {
  const sums = [...expr.matchAll(/\bby \(([^)]+)\)/g)].flatMap(([, list = '']) => list.split(', '));
  const named = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  return [...new Set([...sums, ...named])].filter((label) => label !== 'le');
}

describe.each(boards.map((board): [string, Board] => [board.uid, board]))('%s', (_, board) => {
  test('shows something in every panel, for something that may be chosen', async () => {
    const choices = await grafana.choices(board);
    expect(choices.length).toBeGreaterThan(0);
    const empty: string[] = [];
    for (const { title, targets = [] } of board.panels) {
      for (const { expr, legendFormat } of targets) {
        const labels = labelsOf(expr, legendFormat);
        let isFound = false;
        for (const choice of choices) {
          isFound = (await grafana.query(expr, choice)).some(
            ({ metric, value }) => Number.isFinite(Number(value[1])) && labels.every((label) => metric[label]),
          );
          if (isFound) break;
        }
        if (!isFound) empty.push(`${title}: ${expr}`);
      }
    }
    expect(empty).toEqual([]);
  }, 60_000);
});

test('golden metrics are those of the calls that were made', async () => {
  const service = { reporter: 'source', namespace: 'shop', service: 'http.shop.svc.cluster.local' };
  const [failed] = await shown('heddle-service', 'Failed', service);
  // One in four.
  expect(Number(failed?.value[1])).toBeCloseTo(0.25, 5);
  const [encrypted] = await shown('heddle-service', 'Mutual TLS', { ...service, reporter: 'destination' });
  expect(encrypted?.value[1]).toBe('1');
  const callers = await shown('heddle-workload', 'Requests', { namespace: 'shop', workload: 'ordering' });
  expect(Number(callers[0]?.value[1])).toBeGreaterThan(0);
}, 60_000);

test('a Canary has its own namespace, also where Prometheus gives the operator’s to all that it scrapes', async () => {
  const weights = await shown('heddle-canary', 'Weight', { namespace: '.*', canary: '.*' });
  expect(weights.map(({ metric }) => metric)).toEqual(
    expect.arrayContaining([
      { namespace: 'shop', canary: 'orders' },
      { namespace: 'market', canary: 'stalls' },
    ]),
  );
  const [one, ...more] = await shown('heddle-canary', 'Weight', { namespace: 'market', canary: 'stalls' });
  expect([one?.metric.canary, one?.value[1], more]).toEqual(['stalls', '50', []]);
}, 60_000);
