import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../hack/mesh/wait.ts';
import { pod } from '../../operator/mesh/testing/objects.ts';
import { CLUSTER_TYPE, LISTENER_TYPE } from '../../operator/xds/resource.ts';
import { TOO_MANY, TOO_OFTEN } from '../../proxy/page-limits.ts';
import { startHarness } from './support/ads-harness.ts';
import { type EnvoyProcess, startEnvoy } from './support/envoy-process.ts';
import { call } from './support/http-call.ts';
import { type MetricsPart, metricsPart } from './support/metrics-sidecar.ts';
import { find, readPage, total } from './support/prometheus-page.ts';
import { ResourceTable } from './support/resource-table.ts';

/** The page of a real sidecar on which the application's metrics stand too, whatever the application answers. */

const SUCCESS = 'heddle_application_scrape_success';
const asked: string[] = [];
let answer: (response: ServerResponse) => void;
let application: Server;
let part: MetricsPart;
let envoy: EnvoyProcess;
let harness: Awaited<ReturnType<typeof startHarness>>;

beforeAll(async () => {
  application = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.on('error', () => {});
    answer(response);
  });
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  const { port } = application.address() as AddressInfo;
  part = await metricsPart(pod('web'), { port, path: '/own?all=yes', scheme: 'http' });
  harness = await startHarness([new ResourceTable([CLUSTER_TYPE, LISTENER_TYPE])]);
  const own = harness.addPod('web');
  envoy = await startEnvoy({
    nodeId: 'web',
    token: own.token,
    adsPort: harness.port,
    rootPem: harness.rootPem,
    statics: part.statics,
  });
  answer = (response) => response.end();
  await waitFor('the page', () => part.merged());
  asked.splice(0);
}, 60_000);
afterAll(async () => {
  await envoy?.stop();
  await harness?.stop();
  application?.close().closeAllConnections();
});

/** The page, which must be one that Prometheus takes, with the sidecar's part. */
async function page(init?: RequestInit) {
  const series = readPage(await part.merged(init));
  expect(find(series, 'envoy_server_uptime')).toHaveLength(1);
  return series;
}

const GOOD = `# HELP app_requests_total All requests.
# TYPE app_requests_total counter
app_requests_total{path="/a \\"quoted\\" {b} = c, d\\\\",code="200"} 1027 1395066363000
app_requests_total{path="/",} 3.25e+06 -7

app_plain 12.5
app_odd{le="+Inf"} -Inf
app_nothing NaN
  # no series
app:recorded:rate5m .5
`;

test('has both, and asks the application at its own path', async () => {
  answer = (response) => response.end(GOOD);
  const series = await page();
  expect(total(series, SUCCESS)).toBe(1);
  expect(total(series, 'app_plain')).toBe(12.5);
  expect(find(series, 'app_requests_total').map(({ value }) => value)).toEqual([1027, 3_250_000]);
  expect(asked).toEqual(['GET /own?all=yes']);
}, 30_000);

test.each<[string, string | Buffer]>([
  ['a page for people', '<html><body>metrics</body></html>'],
  ['a sentence', 'hello world'],
  ['JSON', '{"requests": 3}'],
  ['bytes', Buffer.from([0, 1, 2, 255])],
  ['one bad line among good ones', `${GOOD}app_broken{a="b} 3\n`],
  ['a label without a value', 'app{a} 3\n'],
  ['a value that is none', 'app{a="b"} 1.2.3\n'],
  ['a value missing', 'app{a="b"}\n'],
  ['labels of nothing', 'a="b"\n'],
  ['what would be gone without its backslashes', '\\a\n'],
  ['a point', 'app .\n'],
  ['a line that goes on', 'app{a="b\\\n"} 1\n'],
])(
  'leaves out %s',
  async (_, body) => {
    answer = (response) => response.end(body);
    const series = await page();
    expect(total(series, SUCCESS)).toBe(0);
    expect(series.filter(({ name }) => name.startsWith('app'))).toEqual([]);
  },
  30_000,
);

test.each<[string, string]>([
  ['letters', 'a'.repeat(1_000_000)],
  ['digits', `app ${'1'.repeat(1_000_000)}x`],
  ['blanks', `app ${' '.repeat(1_000_000)}x`],
  ['quotes', 'a="'.repeat(350_000)],
  ['backslashes', '\\'.repeat(1_000_000)],
  ['braces', '{'.repeat(1_000_000)],
  ['new lines', `${'\n '.repeat(500_000)}x`],
  ['commas', 'a,'.repeat(500_000)],
])(
  'takes no long time over half a million of %s or more',
  async (_, body) => {
    answer = (response) => response.end(body);
    const before = await cpuSeconds();
    await page();
    // By the length of the text it is a tenth of this.
    expect((await cpuSeconds()) - before).toBeLessThan(10);
  },
  60_000,
);

test('leaves out 50 MB, and what is a little too much', async () => {
  for (const megabytes of [50, 5]) {
    answer = (response) => response.end(Buffer.alloc(megabytes * 1_000_000, 'app_plain 1\n'));
    expect(total(await page(), SUCCESS)).toBe(0);
  }
}, 60_000);

test('takes some megabytes', async () => {
  answer = (response) => response.end('app_plain{a="b"} 1\n'.repeat(50_000));
  const series = await page();
  expect(total(series, SUCCESS)).toBe(1);
  expect(total(series, 'app_plain')).toBe(50_000);
}, 60_000);

test('leaves out an application that fails, one that is gone, and one that answers no more than a part', async () => {
  answer = (response) => response.writeHead(500).end(GOOD);
  expect(total(await page(), SUCCESS)).toBe(0);
  answer = (response) => response.destroy();
  expect(total(await page(), SUCCESS)).toBe(0);
  answer = (response) => {
    response.writeHead(200, { 'content-length': 10_000 }).write(GOOD);
    setImmediate(() => response.destroy());
  };
  expect(total(await page(), SUCCESS)).toBe(0);
}, 60_000);

test('looks at values anew, where all else of a line is known', async () => {
  const twice = async (first: string, second: string): Promise<number[]> => {
    const found: number[] = [];
    for (const body of [first, second]) {
      answer = (response) => response.end(`${body}\n`);
      found.push(total(await page(), SUCCESS));
    }
    return found;
  };
  for (const value of ['2', '-.5e+3', '+Inf', 'NaN', '7 1395066363000']) {
    expect(await twice('app_known{a="b"} 1', `app_known{a="b"} ${value}`)).toEqual([1, 1]);
  }
  for (const value of ['0x10', '1.2.3', '', '1e', '.', 'nan', '1 2.5', '1"', '1}']) {
    expect(await twice('app_known{a="b"} 1', `app_known{a="b"} ${value}`)).toEqual([1, 0]);
  }
  expect(await twice('app_known 1', 'app_known x')).toEqual([1, 0]);
}, 60_000);

test('of a page of megabytes that it knows only values are looked at', async () => {
  const series = Array.from({ length: 40_000 }, (_, nth) => `app_many{path="/some/path/of/it/${nth}",code="200"} `);
  const cost: number[] = [];
  for (const value of [1, 2, 3]) {
    answer = (response) => response.end(series.map((one) => `${one}${value}\n`).join(''));
    const before = await cpuSeconds();
    expect(total(await page(), 'app_many')).toBe(40_000 * value);
    cost.push((await cpuSeconds()) - before);
  }
  // CPU, not time: known lines cost a fraction.
  expect(Math.min(cost[1] ?? 0, cost[2] ?? 0)).toBeLessThan(cost[0] ?? 0);
}, 60_000);

test('asks for no more than four at a time', async () => {
  const held: ServerResponse[] = [];
  answer = (response) => held.push(response);
  const ask = (nth: number) =>
    waitFor('an answer that is not too often', async () => {
      const options = { port: part.ports.merged, path: '/stats/prometheus', localAddress: `127.0.2.${nth}` };
      const { status, body } = await call({ ...options, headers: { 'x-prometheus-scrape-timeout-seconds': '60' } });
      return body === TOO_OFTEN ? undefined : { status, body };
    });
  const waits = async () =>
    /pending_active: (\d+)/.exec(
      await envoy.admin('/stats?filter=^cluster.heddle-application-metrics.*_pending_active'),
    )?.[1];
  const waiting: ReturnType<typeof ask>[] = [];
  for (let nth = 1; nth <= 12; nth++) {
    // One by one: those whose connection is being made wait too.
    waiting.push(ask(nth));
    await waitFor(`${nth} asked`, async () => {
      const expected = nth <= 4 ? [nth, '0'] : [4, String(nth - 4)];
      return held.length === expected[0] && (await waits()) === expected[1] ? true : undefined;
    });
  }
  expect(await ask(13)).toEqual({ status: 429, body: TOO_MANY });
  answer = (response) => response.end('app_plain 1\n');
  for (const response of held.splice(0)) response.end('app_plain 1\n');
  for (const { status, body } of await Promise.all(waiting)) {
    expect([status, total(readPage(body), SUCCESS)]).toEqual([200, 1]);
  }
}, 60_000);

test('waits for one that hangs no longer than Prometheus would wait for the page', async () => {
  answer = () => {};
  const begin = performance.now();
  expect(total(await page({ headers: { 'x-prometheus-scrape-timeout-seconds': '2' } }), SUCCESS)).toBe(0);
  expect(performance.now() - begin).toBeGreaterThan(700);
}, 60_000);

test('the sidecar still has memory', async () => {
  // The 50 MB are not kept, nor any of the others.
  const { allocated } = JSON.parse(await envoy.admin('/memory')) as { allocated: string };
  expect(Number(allocated)).toBeLessThan(300_000_000);
}, 30_000);

/** CPU that the sidecar has used, in seconds. */
async function cpuSeconds(): Promise<number> {
  const fields = (await readFile(`/proc/${envoy.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
