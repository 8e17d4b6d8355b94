import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../hack/mesh/wait.ts';
import { TOO_MANY, TOO_OFTEN } from '../../proxy/page-limits.ts';
import { type Answer, call } from './support/http-call.ts';
import { MetricsWorld } from './support/metrics-world.ts';
import { find, readPage } from './support/prometheus-page.ts';

/** A real sidecar whose metrics a stranger asks for without end. */

const STRANGER = '127.0.3.1';
const PROMETHEUS = '127.0.3.2';
const PATIENT = { 'x-prometheus-scrape-timeout-seconds': '60' };
let world: MetricsWorld;

beforeAll(async () => {
  world = await MetricsWorld.start();
}, 90_000);
afterAll(() => world?.stop());

const scrape = (localAddress: string, agent?: Agent): Promise<Answer> =>
  call({ port: world.metricsPort, path: '/stats/prometheus', localAddress, headers: PATIENT, ...(agent && { agent }) });

async function callService(agent: Agent): Promise<number> {
  const { address, service } = world.port('http');
  const headers = { host: `http.shop.svc.cluster.local:${service}` };
  return (await call({ host: address, port: service, path: '/', headers, agent })).status;
}

test('a flood of scrapes is answered or refused, and neither calls nor somebody else who scrapes are lost', async () => {
  const service = new Agent({ keepAlive: true });
  const sockets = new Agent({ keepAlive: true, maxSockets: 16 });
  const answers: Answer[] = [];
  const begin = performance.now();
  let isFlooding = true;
  const flood = async (): Promise<void> => {
    while (isFlooding) answers.push(await scrape(STRANGER, sockets));
  };
  const floods = Array.from({ length: 16 }, flood);
  const refused = () => answers.filter(({ status }) => status === 429);
  for (let nth = 0; nth < 100; nth++) expect(await callService(service)).toBe(200);
  // More often than the bucket of all lasts, were it the stranger's alone.
  for (let nth = 0; nth < 12; nth++) {
    const page = await waitFor('a page for somebody else', async () => {
      const { status, body } = await scrape(PROMETHEUS);
      return status === 200 ? body : undefined;
    });
    expect(find(readPage(page), 'istio_requests_total').length).toBeGreaterThan(0);
  }
  await waitFor('refusals', async () => (refused().length > 200 ? true : undefined));
  isFlooding = false;
  await Promise.all(floods);
  const seconds = (performance.now() - begin) / 1000;
  sockets.destroy();
  service.destroy();

  const served = answers.filter(({ status }) => status === 200);
  expect(served.length).toBeGreaterThan(0);
  expect(answers.filter(({ status }) => status !== 200 && status !== 429)).toEqual([]);
  for (const { body, headers } of refused()) {
    expect([TOO_OFTEN, TOO_MANY]).toContain(body);
    if (body === TOO_OFTEN) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  }
  // The burst and two a second, whatever the time: a bucket never gives more.
  expect(served.length).toBeLessThanOrEqual(5 + 2 * seconds + 1);
}, 120_000);
