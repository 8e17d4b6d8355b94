import { once } from 'node:events';
import { request as requestHttp } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { HealthServer } from '../../kube/health.ts';
import { silentLogger } from '../../kube/logger.ts';
import { DashboardServer } from '../../operator/dashboard/server.ts';
import type { ViewSource } from '../../operator/dashboard/view-source.ts';
import { SECRET_TYPE } from '../../operator/xds/resource.ts';
import { createWebhookMetrics } from '../../webhook/metrics.ts';
import { AdmissionServer } from '../../webhook/server.ts';
import { makeCertificate } from '../../webhook/testing/certificate.ts';
import { testHandlers } from '../../webhook/testing/handlers.ts';
import { podReview } from '../../webhook/testing/review.ts';
import { DELTA_PATH, namesOf } from '../feature/support/ads-client.ts';
import { type AdsHarness, startHarness } from '../feature/support/ads-harness.ts';
import { ResourceTable, textResource } from '../feature/support/resource-table.ts';
import { bytesInUse } from './engine/bytes-in-use.ts';
import { Random } from './engine/random.ts';
import { SEED } from './seed.ts';
import { noise, recordClientHello, sendOverTls, sendPlain, torn, tornFrames } from './wire/torn-streams.ts';

/** Connections at once, and how often so many come. */
const [AT_ONCE, TIMES] = [12, 10];
/** What may be in use at the end beyond what was after the first time, in bytes: buffers of the pools of Node. */
const MAX_GROWTH = 16 << 20;

/** Attacks with many connections at a time, and looks after an honest client each time. */
async function attack(send: () => Promise<void>, honest: () => Promise<void>): Promise<void> {
  let before = 0;
  for (let time = 0; time < TIMES; time++) {
    const attackers = Array.from({ length: AT_ONCE }, send);
    await honest();
    await Promise.all(attackers);
    if (time === 1) before = bytesInUse();
  }
  expect(bytesInUse() - before).toBeLessThan(MAX_GROWTH);
}

describe(`the xDS port (FUZZ_SEED=${SEED})`, () => {
  const random = new Random(SEED);
  const table = new ResourceTable([SECRET_TYPE]);
  let harness: AdsHarness;
  let hello: Buffer;
  let live: ReturnType<AdsHarness['connect']>;
  let version = 1;
  let joined = 0;

  beforeAll(async () => {
    table.update([textResource(SECRET_TYPE, 'default', '1')]);
    harness = await startHarness([table], { authenticateWithinMs: 1000 });
    hello = await recordClientHello(['h2']);
    live = harness.connect(harness.addPod('live'));
    live.send(SECRET_TYPE, { subscribe: ['default'] });
    await live.nextAcked(SECRET_TYPE);
  });
  afterAll(() => harness.stop());

  /** Who has a stream hears of a change, and who comes is served. */
  async function honest(): Promise<void> {
    table.update([textResource(SECRET_TYPE, 'default', String(++version))]);
    expect(namesOf(await live.nextAcked(SECRET_TYPE))).toEqual(['default']);
    const client = harness.connect(harness.addPod(`joined-${++joined}`));
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    expect(namesOf(await client.nextAcked(SECRET_TYPE))).toEqual(['default']);
    client.close();
    await client.ended;
  }

  test('stands bytes of no meaning', () => attack(() => sendPlain(harness.port, noise(random)), honest));
  test('stands torn records of TLS', () => attack(() => sendPlain(harness.port, torn(hello, random)), honest));
  test('stands torn frames of HTTP/2', () =>
    attack(() => sendOverTls(harness.port, ['h2'], tornFrames(random)), honest));

  test('writes nothing of headers that it can not read', async () => {
    const written = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const session = connectHttp2(`https://localhost:${harness.port}`, { ca: harness.rootPem });
    const stream = session.request({
      ':method': 'POST',
      ':path': DELTA_PATH,
      'content-type': 'application/grpc',
      authorization: 'Bearer secret-\xff',
    });
    const [headers] = await once(stream, 'response');
    session.destroy();
    expect(headers['grpc-status']).toBe(String(status.UNAUTHENTICATED));
    expect(written).not.toHaveBeenCalled();
    written.mockRestore();
  });
});

describe(`the webhook port (FUZZ_SEED=${SEED})`, () => {
  const random = new Random(SEED);
  const metrics = createWebhookMetrics();
  const server = new AdmissionServer({ handlers: testHandlers(metrics), logger: silentLogger, metrics });
  const body = JSON.stringify(podReview('u'));
  const head = ['POST /inject HTTP/1.1', 'host: a', 'content-type: application/json', `content-length: ${body.length}`];
  const request = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
  let port: number;
  let hello: Buffer;

  beforeAll(async () => {
    server.setCertificate(await makeCertificate('webhook'));
    port = await server.start(0, '127.0.0.1');
    hello = await recordClientHello(['http/1.1']);
  });
  afterAll(() => server.stop());

  async function honest(): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const options = { port, host: '127.0.0.1', path: '/inject', method: 'POST', headers, agent: false };
    const sent = requestHttps({ ...options, rejectUnauthorized: false });
    sent.end(body);
    const [response] = await once(sent, 'response');
    expect(response.statusCode).toBe(200);
    response.resume();
    await once(response, 'close');
  }

  test('stands bytes of no meaning', () => attack(() => sendPlain(port, noise(random)), honest));
  test('stands torn records of TLS', () => attack(() => sendPlain(port, torn(hello, random)), honest));
  test('stands torn requests', () => attack(() => sendOverTls(port, ['http/1.1'], torn(request, random)), honest));
  test('stands frames of HTTP/2, which it does not speak', () =>
    attack(() => sendOverTls(port, ['http/1.1'], tornFrames(random)), honest));
});

const view = async () => ({}) as never;
const source: ViewSource = {
  ...{ graph: view, series: view, controlPlane: view, proxies: view, policies: view, refusals: view, canaries: view },
  onChanged: () => () => undefined,
};
const dashboard = new DashboardServer({ source, page: new Map(), logger: silentLogger });
const health = new HealthServer({ port: 0, host: '127.0.0.1' });

describe.each<[string, string, () => Promise<number>, () => Promise<void>]>([
  ['page', '/api/graph?seconds=60&namespace=shop', () => dashboard.start(0), () => dashboard.stop()],
  ['health', '/healthz', () => health.start(), () => health.stop()],
])(`the port of the %s (FUZZ_SEED=${SEED})`, (_, path, start, stop) => {
  const random = new Random(SEED);
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\n\r\n`);
  let port: number;

  beforeAll(async () => {
    port = await start();
  });
  afterAll(() => stop());

  async function honest(): Promise<void> {
    const sent = requestHttp({ port, host: '127.0.0.1', path, headers: { host: 'localhost' }, agent: false }).end();
    const [response] = await once(sent, 'response');
    expect(response.statusCode).toBe(200);
    response.resume();
    await once(response, 'close');
  }

  test('stands bytes of no meaning', () => attack(() => sendPlain(port, noise(random)), honest));
  test('stands torn requests', () =>
    attack(() => sendPlain(port, torn(Buffer.concat([request, request]), random)), honest));
  test('stands frames of HTTP/2, which it does not speak', () =>
    attack(() => sendPlain(port, tornFrames(random)), honest));
});
