import { once } from 'node:events';
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ManyReport } from '../e2e/testbed/answer-tally.ts';
import { callTls } from '../e2e/testbed/calls.ts';
import { issueCertificate } from '../e2e/testbed/certificate.ts';
import { closeCalls } from '../e2e/testbed/chain.ts';
import { serveHttp } from '../e2e/testbed/http-server.ts';
import { serveHttp2 } from '../e2e/testbed/http2-server.ts';
import { runPlan, runSpec } from '../e2e/testbed/request-plan.ts';
import type { RequestSpec } from '../e2e/testbed/request-spec.ts';
import { ServerState } from '../e2e/testbed/server-state.ts';
import { serveTcp } from '../e2e/testbed/tcp-server.ts';
import { serveTls } from '../e2e/testbed/tls-server.ts';
import { freePort } from './support/free-port.ts';

async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const POD = hostname();
const state = new ServerState();
const http = serveHttp(0, state);
const quiet = serveTcp(0, false);
const greeting = serveTcp(0, true);
const authority = { commonName: 'an authority', authority: true };
const ca = issueCertificate(authority);
const identity = issueCertificate({
  commonName: 'server',
  names: ['a.example', '10.1.2.3', 'spiffe://b/c'],
  issuer: { commonName: authority.commonName, key: ca.key },
});
const tls = serveTls(0, { identity, ca: ca.cert }, state);
let url = '';
let url2 = '';
let closeHttp2 = () => {};

beforeAll(async () => {
  url = `http://127.0.0.1:${await portOf(http)}`;
  const port = await freePort();
  closeHttp2 = serveHttp2(port, state);
  url2 = `http://127.0.0.1:${port}`;
});

afterAll(() => {
  for (const server of [http, quiet, greeting]) server.close();
  http.closeAllConnections();
  tls.close();
  closeHttp2();
  closeCalls();
});

beforeEach(() => state.forget());

const told = async (path: string, method = 'GET'): Promise<unknown> =>
  JSON.parse(await (await fetch(url + path, { method })).text());

const many = (spec: RequestSpec): Promise<ManyReport> => runSpec(spec);

describe('many requests of the testbed', () => {
  test('are added up, with the first answers whole', async () => {
    const report = await many({
      name: 'a',
      url: `${url}/x?key=u{i%3}`,
      headers: { 'X-I': '{i}' },
      count: 9,
      concurrency: 3,
      answers: 2,
    });
    expect(report).toMatchObject({
      name: 'a',
      sent: 9,
      ok: 9,
      statuses: { 200: 9 },
      pods: { [POD]: 9 },
      versions: { v1: 9 },
      errors: {},
    });
    expect(report.answers).toHaveLength(2);
    expect(report.answers.map(({ echo }) => echo?.headers['x-i']).toSorted()).toEqual(['0', '1']);
    expect(report.answers[0]?.headers?.['content-type']).toBe('application/json');
    expect(await told('/seen?key=u1')).toMatchObject({ pod: POD, count: 3, hosts: { [url.slice(7)]: 3 } });
  });

  test.each([
    ['http' as const, { url: () => url, failed: 503, well: 200 }],
    ['http2' as const, { url: () => url2, failed: 503, well: 200 }],
    ['grpc' as const, { url: () => url2, failed: 14, well: 0 }],
  ])('of %s fail as often as wished, and each tells which attempt it was', async (protocol, kind) => {
    const headers = { 'x-key': 'k', 'x-fail': '2' };
    const report = await many({ url: kind.url(), protocol, headers, count: 4, answers: 4, trace: true });
    expect(report).toMatchObject({ sent: 4, ok: 2, statuses: { [kind.failed]: 2, [kind.well]: 2 } });
    expect(report.answers[3]?.echo?.attempt).toBe(4);
    expect(report.trace?.map(({ outcome }) => outcome)).toEqual(
      [kind.failed, kind.failed, kind.well, kind.well].map(String),
    );
    const seen = state.seen('k');
    expect([seen.count, seen.gapsMs.length]).toEqual([4, 3]);
  });

  test.each([
    [{ protocol: 'http' as const, url: (): string => `${url}/?reset=1` }, { ECONNRESET: 1 }],
    [{ protocol: 'http2' as const, url: (): string => `${url2}/?reset=1` }, { ERR_HTTP2_STREAM_ERROR: 1 }],
    [{ protocol: 'http' as const, url: (): string => `${url}/?delay=5000` }, { ETIMEDOUT: 1 }],
    [{ protocol: 'http2' as const, url: (): string => `${url2}/?delay=5000` }, { ETIMEDOUT: 1 }],
    [{ protocol: 'http2' as const, url: (): string => 'http://127.0.0.1:9' }, { ECONNREFUSED: 1 }],
    [{ protocol: 'grpc' as const, url: (): string => 'http://127.0.0.1:9' }, { ECONNREFUSED: 1 }],
    [{ protocol: 'tcp' as const, url: (): string => 'tcp://127.0.0.1:9' }, { ECONNREFUSED: 1 }],
  ])('without an answer are counted by their error: %j', async (spec, errors) => {
    const report = await many({ ...spec, url: spec.url(), timeoutMs: 300 });
    expect(report).toMatchObject({ sent: 1, ok: 0, statuses: {}, pods: {}, errors });
  });

  test('of gRPC give the status wished for as trailers alone, and metadata arrives', async () => {
    const refused = await many({ url: url2, protocol: 'grpc', headers: { 'x-status': '7' } });
    expect(refused.statuses).toEqual({ 7: 1 });
    expect(refused.answers[0]?.headers).toMatchObject({ ':status': '200', 'grpc-status': '7' });
    const well = await many({ url: url2, protocol: 'grpc', headers: { 'x-a': 'b', host: 'echo:81' } });
    expect(well.answers[0]?.echo?.headers).toMatchObject({ 'x-a': 'b', ':authority': 'echo:81' });
  });

  test('use one connection, or one each', async () => {
    const ports = async (keepAlive: boolean): Promise<number> => {
      let opened = 0;
      const count = (): void => {
        opened++;
      };
      http.on('connection', count);
      await many({ url, count: 4, keepAlive });
      http.off('connection', count);
      return opened;
    };
    expect(await ports(true)).toBe(1);
    expect(await ports(false)).toBe(4);
  });

  test('of TCP are counted by who answers, client first and server first', async () => {
    const first = await many({ url: `tcp://127.0.0.1:${await portOf(quiet)}`, count: 3 });
    expect(first).toMatchObject({ ok: 3, pods: { [POD]: 3 }, versions: { v1: 3 } });
    const server = await many({ url: `tcp://127.0.0.1:${await portOf(greeting)}`, count: 2, serverFirst: true });
    expect(server).toMatchObject({ ok: 2, pods: { [POD]: 2 } });
    const other = await many({ url: `tcp://127.0.0.1:${await portOf(quiet)}`, body: 'hello' });
    expect(other).toMatchObject({ ok: 1, pods: {}, answers: [{ body: 'hello' }] });
  });

  test('of TLS tell what each side saw of the other', async () => {
    const base = `https://127.0.0.1:${await portOf(tls.server)}`;
    const report = await many({ url: `${base}/t`, sni: 'a.example', clientName: 'spiffe://me/x', count: 2 });
    expect(report).toMatchObject({ ok: 2, pods: { [POD]: 2 } });
    expect(report.answers[0]?.echo?.tls).toEqual({
      sni: 'a.example',
      alpn: '',
      client: { subject: 'CN=testbed', san: 'URI:spiffe://me/x', issuer: 'CN=testbed', verified: false },
    });
    expect(report.answers[0]?.certificate).toEqual({
      subject: 'CN=server',
      san: 'DNS:a.example, IP Address:10.1.2.3, URI:spiffe://b/c',
    });
    const plain = await many({ url: `${base}/`, alpn: ['http/1.1'] });
    expect(plain.answers[0]?.echo?.tls).toEqual({ sni: '', alpn: 'http/1.1' });
  });

  test('remember cookies when told', async () => {
    const jar = serveHttp(0);
    jar.prependListener('request', (_, response) => {
      response.setHeader('set-cookie', ['a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/', 'b=2; Max-Age=60']);
    });
    const cookieUrl = `http://127.0.0.1:${await portOf(jar)}/`;
    const sent = async (cookies: boolean): Promise<(string | undefined)[]> =>
      (await many({ url: cookieUrl, count: 2, cookies, answers: 2 })).answers.map(({ echo }) => echo?.headers.cookie);
    expect(await sent(true)).toEqual([undefined, 'a=1; b=2']);
    expect(await sent(false)).toEqual([undefined, undefined]);
    jar.close();
    jar.closeAllConnections();
  });

  test('of several kinds go in order, or at once', async () => {
    const specs = [{ url: `${url}/?delay=200` }, { url: `${url}/?delay=200&status=404` }];
    const timed = async (concurrent: boolean): Promise<[number, number[]]> => {
      const start = performance.now();
      const reports = await runPlan(specs, concurrent);
      return [performance.now() - start, reports.map(({ statuses }) => Number(Object.keys(statuses)[0]))];
    };
    const [ordered, statuses] = await timed(false);
    const [together] = await timed(true);
    expect(statuses).toEqual([200, 404]);
    expect(ordered).toBeGreaterThan(390);
    expect(together).toBeLessThan(ordered);
  });

  test('of an unknown kind are refused', async () => {
    const specs = JSON.parse('[{ "url": "http://a/", "protocol": "smtp" }]');
    await expect(runPlan(specs, false)).rejects.toThrow('must be http, http2, grpc, tcp, tls or websocket');
  });
});

describe('a server of the testbed', () => {
  test('behaves as it was told until it is told otherwise', async () => {
    await told('/admin?errors=1&status=500', 'POST');
    const reports = await runPlan([{ url }, { url: url2, protocol: 'http2' }, { url: url2, protocol: 'grpc' }], false);
    expect(reports.map(({ statuses }) => statuses)).toEqual([{ 500: 1 }, { 500: 1 }, { 14: 1 }]);
    expect(await told('/admin?errors=0&delay=150&ready=0', 'POST')).toMatchObject({ errors: false, delayMs: 150 });
    expect((await many({ url })).latencyMs.p50).toBeGreaterThanOrEqual(149);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    await told('/admin?delay=0&ready=1', 'POST');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await told('/admin?errors=1')).toMatchObject({ errors: false, ready: true });
  });

  test('works on so many requests at once, and the others wait', async () => {
    await told('/admin?concurrent=2', 'POST');
    const report = await many({ url: `${url}/?delay=100`, count: 6, concurrency: 6 });
    expect(report.ok).toBe(6);
    expect(report.seconds).toBeGreaterThan(0.29);
    expect(await told('/admin?concurrent=0', 'POST')).toMatchObject({ concurrent: 0, busy: 0, waiting: 0 });
  });

  test.each<[string, number, object]>([
    ['/?status=418', 418, { status: 418 }],
    ['/?delay=2000', 504, { error: 'ETIMEDOUT' }],
    ['/?reset=1', 502, { error: 'ECONNRESET' }],
  ])('that calls on answers %s of the other with %d', async (path, status, upstream) => {
    const query = new URLSearchParams({ url: url + path, timeout: '200' });
    const report = await many({ url: `${url}/call?${query}`, headers: { 'x-request-id': 'r' } });
    expect(report.statuses).toEqual({ [status]: 1 });
    expect(report.answers[0]?.echo?.upstream).toMatchObject(upstream);
    if (status === 418) expect(report.answers[0]?.echo?.upstream?.echo?.headers['x-request-id']).toBe('r');
  });

  test('counts by key, whatever the key is called', async () => {
    await many({ url, headers: { 'x-key': '__proto__', host: 'a-shadow' }, count: 2 });
    await many({ url: url2, protocol: 'http2', headers: { 'x-key': '__proto__', host: 'a' } });
    expect(await told('/seen?key=__proto__')).toMatchObject({ count: 3, hosts: { 'a-shadow': 2, a: 1 } });
    expect(await told('/seen?key=constructor')).toMatchObject({ count: 0, hosts: {} });
    expect(await told('/admin?forget=1', 'POST')).toMatchObject({ pod: POD });
    expect(await told('/seen?key=__proto__')).toMatchObject({ count: 0 });
  });

  test('verifies the certificate of a client when it knows who signed it', async () => {
    const own = issueCertificate({ commonName: 'c', issuer: { commonName: authority.commonName, key: ca.key } });
    const call = { method: 'GET', headers: {}, body: undefined, timeoutMs: 5000, identity: own };
    const { body = '' } = await callTls(`https://127.0.0.1:${await portOf(tls.server)}/`, call);
    expect(JSON.parse(body).tls.client).toMatchObject({ issuer: 'CN=an authority', verified: true });
  });
});
