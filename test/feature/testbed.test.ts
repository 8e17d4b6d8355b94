import { once } from 'node:events';
import type { Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CONTROL_OUTSIDE_MESH, server, versionedServer } from '../e2e/support/testbed-objects.ts';
import { callHttp, callTcp, callWebSocket } from '../e2e/testbed/calls.ts';
import { serveHttp } from '../e2e/testbed/http-server.ts';
import { callGrpc, callHttp2 } from '../e2e/testbed/http2-calls.ts';
import { serveHttp2 } from '../e2e/testbed/http2-server.ts';
import { runLoad } from '../e2e/testbed/load.ts';
import { serveTcp } from '../e2e/testbed/tcp-server.ts';
import { freePort } from './support/free-port.ts';

const TIMEOUT_MS = 5000;
const get = { method: 'GET', headers: {}, body: undefined, timeoutMs: TIMEOUT_MS };

async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('the testbed', () => {
  const http = serveHttp(0);
  const quiet = serveTcp(0, false);
  const greeting = serveTcp(0, true);
  let url = '';
  let http2Url = '';
  let closeHttp2 = () => {};

  beforeAll(async () => {
    url = `http://127.0.0.1:${await portOf(http)}`;
    const port = await freePort();
    closeHttp2 = serveHttp2(port);
    http2Url = `http://127.0.0.1:${port}`;
  });

  afterAll(() => {
    for (const server of [http, quiet, greeting]) server.close();
    http.closeAllConnections();
    closeHttp2();
  });

  test('echoes what it sees of an HTTP/1.1 request', async () => {
    const call = { ...get, method: 'POST', headers: { 'x-a': 'b' }, body: 'hello' };
    const { status, body = '' } = await callHttp(`${url}/x?status=418`, call);
    expect(status).toBe(418);
    expect(JSON.parse(body)).toMatchObject({ protocol: '1.1', method: 'POST', headers: { 'x-a': 'b' }, bodyBytes: 5 });
  });

  test('echoes an HTTP/2 request', async () => {
    const { body = '' } = await callHttp2(`${http2Url}/y`, get);
    expect(JSON.parse(body)).toMatchObject({ protocol: '2', path: '/y' });
  });

  test.each([
    ['/testbed.Echo/Unary', 0, '"protocol":"grpc"'],
    ['/testbed.Echo/Stream', 0, 'one\ntwo'],
    ['/grpc.health.v1.Health/Check', 0, '\b\u0001'],
    ['/testbed.Echo/Unknown', 12, ''],
  ])('answers the gRPC call %s with status %d', async (path, status, body) => {
    const messages = path.endsWith('Unknown') ? [] : path.endsWith('Stream') ? ['one', 'two'] : [''];
    const result = await callGrpc(http2Url, path, messages, TIMEOUT_MS);
    expect(result.status).toBe(status);
    expect(result.body).toContain(body);
  });

  test.each([['short'], ['x'.repeat(4000)]])('sends a WebSocket message back', async (message) => {
    const result = await callWebSocket(url.replace('http', 'ws'), message, TIMEOUT_MS);
    expect(result.body).toBe(message);
  });

  test('speaks TCP, first and second', async () => {
    expect(await callTcp('127.0.0.1', await portOf(quiet), 'hello', TIMEOUT_MS)).toEqual({ body: 'hello' });
    expect((await callTcp('127.0.0.1', await portOf(greeting), undefined, TIMEOUT_MS)).body).toMatch(/^220 /);
  });

  const plan = {
    rate: 100,
    seconds: 0.3,
    methods: ['GET', 'POST'],
    bodyBytes: 10,
    keepAlive: true,
    timeoutMs: TIMEOUT_MS,
  };

  test('keeps up a load until it is told to end, and tells that it has begun', async () => {
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const load = runLoad({ ...plan, url, seconds: Infinity }, { ended: end.promise, onFirst: begun.resolve });
    await begun.promise;
    end.resolve();
    const { sent, ok } = await load;
    expect(sent).toBeGreaterThan(0);
    expect(ok).toBe(sent);
  });

  test('counts the failures of a load by kind', async () => {
    expect(await runLoad({ ...plan, url })).toMatchObject({
      sent: 30,
      ok: 30,
      failed: 0,
      methods: { GET: 15, POST: 15 },
    });
    expect(await runLoad({ ...plan, url: `${url}/?status=503` })).toMatchObject({ failed: 30, failures: { 503: 30 } });
    expect(await runLoad({ ...plan, url: 'http://127.0.0.1:9' })).toMatchObject({ failures: { ECONNREFUSED: 30 } });
  });
});

describe('the objects of the testbed', () => {
  interface Made {
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly spec?: {
      readonly selector?: object;
      readonly replicas?: number;
      readonly template?: {
        readonly metadata: { readonly labels: object; readonly annotations: object };
        readonly spec: { readonly serviceAccountName: string; readonly containers: readonly { env: object[] }[] };
      };
    };
  }
  // What the functions make is YAML for kubectl, of which only this much is looked at.
  const made = (objects: object[]): Made[] => objects as Made[];

  test('of a server in versions are one Service and a Deployment for each', () => {
    const versions = { v1: { labels: { 'istio-locality': 'a.b.c' } }, v2: { replicas: 3, env: { X: 'y' } } };
    const [account, service, first, second] = made(versionedServer('reviews', versions, { labels: { team: 'red' } }));
    expect([account, service, first, second].map((object) => `${object?.kind} ${object?.metadata.name}`)).toEqual([
      'ServiceAccount reviews',
      'Service reviews',
      'Deployment reviews-v1',
      'Deployment reviews-v2',
    ]);
    expect(service?.spec?.selector).toEqual({ app: 'reviews' });
    expect(first?.spec?.selector).toEqual({ matchLabels: { app: 'reviews', version: 'v1' } });
    expect(first?.spec?.template?.metadata).toEqual({
      labels: { app: 'reviews', version: 'v1', team: 'red', 'istio-locality': 'a.b.c' },
      annotations: CONTROL_OUTSIDE_MESH,
    });
    expect(second?.spec?.replicas).toBe(3);
    expect(second?.spec?.template?.spec).toMatchObject({
      serviceAccountName: 'reviews',
      containers: [
        {
          env: [
            { name: 'VERSION', value: 'v2' },
            { name: 'X', value: 'y' },
          ],
        },
      ],
    });
  });

  test('of a server alone have no version in their labels', () => {
    const [, , deployment] = made(server('echo', { version: 'v7' }));
    expect(deployment?.spec?.template?.metadata).toEqual({ labels: { app: 'echo' }, annotations: {} });
  });
});
