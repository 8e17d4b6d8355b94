import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../hack/mesh/wait.ts';
import { pod } from '../../operator/mesh/testing/objects.ts';
import { TOO_MANY, TOO_OFTEN } from '../../proxy/page-limits.ts';
import { buildRuntime } from '../../proxy/runtime.ts';
import { buildStatsConfig } from '../../proxy/stats.ts';
import { type EnvoyProcess, runEnvoy } from './support/envoy-process.ts';
import { freePort } from './support/free-port.ts';
import { type Answer, call } from './support/http-call.ts';
import { type MetricsPart, metricsPart } from './support/metrics-sidecar.ts';
import { find, readPage, total } from './support/prometheus-page.ts';

/** The script of a real sidecar's page, told what was counted by a server in place of Envoy's admin interface, in whatever parts. */

const RULES = [
  'source istio_requests_total remove response_code',
  'destination istio_request_bytes set zone north',
  'destination istio_response_bytes disable',
  'source istio_response_bytes disable',
].join(';');
let tell: (response: ServerResponse) => void;
let rules = RULES;
let admin: Server;
let part: MetricsPart;
let envoy: EnvoyProcess;

beforeAll(async () => {
  admin = createServer((request, response) => {
    response.on('error', () => {});
    if (request.url?.startsWith('/config_dump') === true) response.end(`{"metrics_page": "${rules}"}`);
    else tell(response);
  });
  admin.listen(0, '127.0.0.1');
  await once(admin, 'listening');
  const { port } = admin.address() as AddressInfo;
  part = await metricsPart(pod('web'));
  const adminPort = await freePort();
  const { stats_config } = buildStatsConfig();
  const counted = { stats_config: { ...(stats_config as object), stats_matcher: { reject_all: false } } };
  const address = { socket_address: { address: '127.0.0.1', port_value: adminPort } };
  envoy = await runEnvoy(
    { admin: { address }, ...buildRuntime(), ...counted, static_resources: part.statics(port) },
    adminPort,
  );
}, 60_000);
afterAll(async () => {
  await envoy?.stop();
  admin?.close().closeAllConnections();
});

const ofPage = () => ({ port: part.ports.own, path: '/stats/prometheus?filter=no' });
let asked = 0;

/** An answer that is not refused for its rate, each to another address. */
function ask(): Promise<Answer> {
  asked += 1;
  const localAddress = `127.0.4.${asked}`;
  const headers = { 'x-prometheus-scrape-timeout-seconds': '60' };
  return waitFor('an answer that is not too often', async () => {
    const answer = await call({ ...ofPage(), localAddress, headers });
    return answer.body === TOO_OFTEN ? undefined : answer;
  });
}

const LABELS = 'upstream_cluster="outbound|80||a.shop.svc.cluster.local",destination_principal="spiffe://a/ns/b/sa/c"';
const client = (code: number) => `reporter="source",${LABELS},response_code="${code}",response_flags="-"`;
const SERVER =
  'reporter="destination",destination_service="b",source_principal="",response_code="200",response_flags="-"';
const histogram = (name: string, labels: string) =>
  ['0.5', '1e+06', '+Inf'].map((le) => `envoy_istio_${name}_bucket{${labels},le="${le}"} 3\n`).join('') +
  `envoy_istio_${name}_sum{${labels}} 4.5\nenvoy_istio_${name}_count{${labels}} 3\n`;
const PAGE = [
  '# TYPE envoy_server_uptime gauge\nenvoy_server_uptime{} 7\n',
  '# TYPE envoy_heddle_policy counter\nenvoy_heddle_policy{policy="x"} 2\n',
  `# TYPE envoy_istio_requests_total counter\nenvoy_istio_requests_total{${client(200)}} 5\n`,
  `envoy_istio_requests_total{${client(503)}} 2\nenvoy_istio_requests_total{${SERVER}} 9\n`,
  ...['request_bytes', 'response_bytes', 'request_duration_milliseconds'].map(
    (name) => `# TYPE envoy_istio_${name} histogram\n${histogram(name, client(200))}${histogram(name, SERVER)}`,
  ),
  '# TYPE envoy_istio_requests_total_tagged counter\n',
  `envoy_istio_requests_total_tagged{${client(200)},x_ab="of before"} 5\n`,
].join('');

let whole = '';

test('a page has what was counted, as the rules say', async () => {
  tell = (response) => response.end(PAGE);
  const { status, body, headers } = await ask();
  expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  const series = readPage(body);
  expect([total(series, 'envoy_server_uptime'), total(series, 'heddle_policy')]).toEqual([7, 2]);
  const requests = find(series, 'istio_requests_total');
  expect(requests.map(({ labels, value }) => [labels.reporter, labels.response_code, value])).toEqual([
    ['source', undefined, 7],
    ['destination', '200', 9],
  ]);
  const bytes = find(series, 'istio_request_bytes_bucket', { le: '0.5' });
  expect(bytes.map(({ labels }) => labels.zone)).toEqual([undefined, 'north']);
  expect(find(series, 'istio_request_duration_milliseconds_sum').map(({ value }) => value)).toEqual([4.5, 4.5]);
  expect(body).not.toMatch(/response_bytes|tagged/);
  whole = body;
}, 60_000);

test.each([5, 100, 1000])(
  'a page is the same in parts of %p bytes',
  async (size) => {
    tell = async (response) => {
      for (let at = 0; at < PAGE.length; at += size) {
        response.write(PAGE.slice(at, at + size));
        // What is written at once travels together.
        if (at % 200 === 0) await new Promise(setImmediate);
      }
      response.end();
    };
    expect((await ask()).body).toBe(whole);
  },
  60_000,
);

test('without overrides it has what Envoy counted, and one that is cut off is no page', async () => {
  rules = '';
  tell = (response) => response.end(PAGE);
  const series = readPage((await ask()).body);
  expect(find(series, 'istio_requests_total').map(({ value }) => value)).toEqual([5, 2, 9]);
  expect(find(series, 'istio_response_bytes_count')).toHaveLength(2);
  tell = (response) => {
    response.writeHead(200, { 'content-length': PAGE.length }).write(PAGE.slice(0, 1000));
    setImmediate(() => response.destroy());
  };
  await expect(call({ ...ofPage(), localAddress: '127.0.5.1' })).rejects.toThrow();
}, 60_000);

test('four pages are under way at a time, eight wait, and who asks besides is told so', async () => {
  const held: ServerResponse[] = [];
  tell = (response) => held.push(response);
  const waits = async () =>
    /pending_active: (\d+)/.exec(await envoy.admin('/stats?filter=^cluster.heddle-counted.*_pending_active'))?.[1];
  const waiting: Promise<Answer>[] = [];
  for (let nth = 1; nth <= 12; nth++) {
    // One by one: those whose connection is being made wait too.
    waiting.push(ask());
    await waitFor(`${nth} asked`, async () => {
      const expected = nth <= 4 ? [nth, '0'] : [4, String(nth - 4)];
      return held.length === expected[0] && (await waits()) === expected[1] ? true : undefined;
    });
  }
  const { status, body } = await ask();
  expect([status, body]).toEqual([429, TOO_MANY]);
  tell = (response) => response.end(PAGE);
  for (const response of held.splice(0)) response.end(PAGE);
  for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200);
}, 60_000);
