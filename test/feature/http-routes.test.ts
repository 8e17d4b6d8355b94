import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { HttpRule, StringMatch } from '../../operator/mesh/route-rule.ts';
import { backend, headers, match, rule } from '../../operator/xds/testing/http-rule-fixture.ts';
import { type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { type RoutedEnvoy, startRoutedEnvoy } from './support/routed-envoy.ts';

/** What single requests meet in the real Envoy by rules of every kind. What only many requests show is in http-route-shares.test.ts. */

const exact = (value: string): StringMatch => ({ kind: 'exact', value });
const prefix = (value: string): StringMatch => ({ kind: 'prefix', value });
const regex = (value: string): StringMatch => ({ kind: 'regex', value });

/** The rule for one path and what is below it. */
const at = (path: string, more: Partial<HttpRule>): HttpRule =>
  rule({ matches: [match({ uri: prefix(path) })], ...more });
const to = (...backends: ReturnType<typeof backend>[]) => ({ kind: 'forward', backends }) as const;
const retries = { attempts: 2, remoteLocalities: false, ignorePreviousHosts: true };

describe('requests meet what their rule says', () => {
  let envoy: RoutedEnvoy;
  let a: EchoBackend;
  let b: EchoBackend;
  const given = headers(
    { set: [['x-set', 'rule']], add: [['x-add', '%REQ(:path)%']], remove: ['x-gone'] },
    { set: [['x-answer', 'rule']], remove: ['x-from'] },
  );
  const cors = {
    allowOrigins: [exact('https://a.example')],
    allowMethods: ['GET', 'PUT'],
    allowHeaders: ['x-a'],
    exposeHeaders: ['x-from'],
    maxAgeMs: 60_000,
    allowCredentials: true,
  };

  beforeAll(async () => {
    [a, b] = await Promise.all([startEchoBackend('a'), startEchoBackend('b')]);
    const rules = [
      at('/prefix/', { rewrite: { uri: '/', authority: 'new.example' } }),
      rule({ matches: [match({ uri: exact('/exact') })], rewrite: { uri: '/whole' } }),
      rule({ matches: [match({ uri: regex('/regex/.*') })], rewrite: { uri: '/whole' } }),
      at('/groups/', { rewrite: { uriRegex: { match: '^/groups/([^/]*)/(.*)$', rewrite: '/\\2/\\1' } } }),
      at('/redirect', {
        action: {
          kind: 'redirect',
          redirect: { uri: '/there', authority: 'b.example', scheme: 'https', port: 8443, code: 308 },
        },
      }),
      at('/body', { action: { kind: 'respond', status: 418, body: 'x'.repeat(100_000) } }),
      at('/headers', { headers: given }),
      at('/host', { headers: headers({ set: [['Host', 'set.example']] }) }),
      at('/backend-headers', {
        action: to(
          backend('a', 1, headers({ set: [['host', 'a.example']] }, { add: [['x-backend', 'a']] })),
          backend('b', 0),
        ),
      }),
      at('/timeout', { timeoutMs: 300 }),
      at('/retry-no', { retries: { ...retries, attempts: 0 } }),
      at('/retry-503', { retries: { ...retries, retryOn: '503' } }),
      at('/retry-slow', { retries: { ...retries, retryOn: 'gateway-error', perTryTimeoutMs: 300 } }),
      at('/retry-later', { retries: { ...retries, attempts: 1, retryOn: '503', backoffMs: 1 } }),
      at('/retry-far', { retries: { ...retries, retryOn: '503', remoteLocalities: true } }),
      at('/other-host', { action: to(backend('pair')), retries: { ...retries, attempts: 1, retryOn: '503' } }),
      at('/any-host', {
        action: to(backend('pair')),
        retries: { ...retries, attempts: 1, retryOn: '503', ignorePreviousHosts: false },
      }),
      at('/delay', { fault: { delay: { fixedMs: 400, percent: 100 } } }),
      at('/abort-grpc', { fault: { abort: { grpcStatus: 14, percent: 100 } } }),
      at('/cors-ignore', { cors: { ...cors, unmatchedPreflights: 'IGNORE' } }),
      at('/cors', { cors }),
      at('/nowhere', { action: to(backend('not-there')) }),
      rule(),
    ];
    envoy = await startRoutedEnvoy(rules, { a: [a], b: [b], pair: [a, b] });
  }, 120_000);
  afterAll(async () => {
    await envoy?.process.stop();
    a?.close();
    b?.close();
  });
  beforeEach(() => {
    a.forget();
    b.forget();
  });

  test.each([
    ['/prefix/x/y?q=1', '/x/y?q=1', 'new.example'],
    ['/exact?q=1', '/whole?q=1', 'old.example'],
    ['/regex/x?q=1', '/whole?q=1', 'old.example'],
    ['/groups/x/y?q=1', '/y/x?q=1', 'old.example'],
    ['/other', '/other', 'old.example'],
    ['/host', '/host', 'set.example'],
    ['/backend-headers', '/backend-headers', 'a.example'],
  ])('%s becomes %s of %s', async (path, url, host) => {
    const { body } = await envoy.call(path, { headers: { host: 'old.example' } });
    expect(JSON.parse(body)).toMatchObject({ url, headers: { host } });
  });

  test('a redirect is answered with the place to go to', async () => {
    const { status, headers: answered } = await envoy.call('/redirect?q=1', { headers: { host: 'old.example' } });
    expect({ status, location: answered.location }).toEqual({
      status: 308,
      location: 'https://b.example:8443/there?q=1',
    });
  });

  test('an answer of the proxy may be long', async () => {
    const { status, body } = await envoy.call('/body');
    expect({ status, length: body.length }).toEqual({ status: 418, length: 100_000 });
  });

  test('headers are set, added to and removed', async () => {
    const sent = { 'x-set': 'client', 'x-add': 'client', 'x-gone': 'client' };
    const answer = await envoy.call('/headers', { headers: sent });
    const { headers: received } = JSON.parse(answer.body);
    expect(received).toMatchObject({ 'x-set': 'rule', 'x-add': 'client, /headers' });
    expect(received).not.toHaveProperty('x-gone');
    expect(answer.headers).toMatchObject({ 'x-answer': 'rule' });
    expect(answer.headers).not.toHaveProperty('x-from');
    expect((await envoy.call('/backend-headers')).headers).toMatchObject({ 'x-backend': 'a' });
  });

  test('a destination that does not exist is answered 503', async () => {
    expect((await envoy.call('/nowhere')).status).toBe(503);
  });

  test('a timeout ends a slow request, and without one nothing does', async () => {
    expect((await envoy.call('/timeout?wait=5000')).status).toBe(504);
    expect((await envoy.call('/other?wait=800')).status).toBe(200);
  });

  test.each([
    ['/other?wait=5000', '200m', 200, '4'],
    ['/timeout?wait=5000', '60S', 300, '14'],
  ])('gRPC to %s with a deadline of %s ends after %d ms with status %s', async (path, deadline, ms, grpcStatus) => {
    const sent = { 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': deadline };
    const answer = await envoy.call(path, { method: 'POST', headers: sent });
    expect(answer.headers).toMatchObject({ 'grpc-status': grpcStatus });
    expect(answer.ms).toBeGreaterThan(ms - 20);
    expect(answer.ms).toBeLessThan(4000);
  });

  test.each([
    ['/other?fail=1', 503, 1],
    ['/other?fail=2&undelivered', 200, 3],
    ['/other?fail=3&undelivered', 503, 3],
    ['/retry-no?fail=1&undelivered', 503, 1],
    ['/retry-503?fail=9', 503, 3],
    ['/retry-503?fail=2', 200, 3],
    ['/retry-slow?hang=1', 200, 2],
    ['/retry-later?fail=1', 200, 2],
    ['/retry-far?fail=2', 200, 3],
    ['/retry-slow?fail=1&undelivered', 200, 2],
  ])('%s ends with %d after %d tries', async (path, status, tries) => {
    expect((await envoy.call(path)).status).toBe(status);
    expect(a.seen).toHaveLength(tries);
  });

  test('a retry goes to another host, unless it may go to the same', async () => {
    // One of two hosts always fails. That no retry meets it again in 200 requests has a chance of (3/4)^200, below 1e-24.
    const statusesAt = async (path: string) => {
      const answers = await envoy.callMany(200, `${path}?failing=a`);
      return new Set(answers.map(({ status }) => status));
    };
    expect(await statusesAt('/other-host')).toEqual(new Set([200]));
    expect(await statusesAt('/any-host')).toEqual(new Set([200, 503]));
  });

  test('a delay is as long as it says', async () => {
    const { status, ms } = await envoy.call('/delay');
    expect(status).toBe(200);
    expect(ms).toBeGreaterThanOrEqual(395);
  });

  test('an abort of gRPC has its status', async () => {
    const sent = { 'content-type': 'application/grpc', te: 'trailers' };
    const { status, headers: answered } = await envoy.call('/abort-grpc', { method: 'POST', headers: sent });
    expect({ status, grpc: answered['grpc-status'] }).toEqual({ status: 200, grpc: '14' });
    expect(a.seen).toHaveLength(0);
  });

  const preflight = (path: string, origin: string) =>
    envoy.call(path, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } });

  test('a preflight of an allowed origin is answered by the proxy', async () => {
    const { status, headers: answered } = await preflight('/cors', 'https://a.example');
    expect(status).toBe(200);
    expect(answered).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-methods': 'GET,PUT',
      'access-control-allow-headers': 'x-a',
      'access-control-max-age': '60',
      'access-control-allow-credentials': 'true',
    });
    expect(a.seen).toHaveLength(0);
  });

  test.each([
    ['/cors', 1],
    ['/cors-ignore', 0],
  ])('a preflight to %s of another origin is allowed nothing, and reaches %d backends', async (path, reached) => {
    const { status, headers: answered } = await preflight(path, 'https://b.example');
    expect(status).toBe(200);
    expect(answered).not.toHaveProperty('access-control-allow-origin');
    expect(a.seen).toHaveLength(reached);
  });

  test('an answer to an allowed origin says so', async () => {
    const { headers: answered } = await envoy.call('/cors', { headers: { origin: 'https://a.example' } });
    expect(answered).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      'access-control-expose-headers': 'x-from',
      'x-from': 'a',
    });
  });

  test('a WebSocket passes, and outlives the timeout of its route', async () => {
    const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const sent = request({ host: '127.0.0.1', port: envoy.port, path: '/timeout', headers: upgrade });
    sent.end();
    const [response, socket] = await once(sent, 'upgrade');
    expect(response.statusCode).toBe(101);
    await new Promise((resolve) => setTimeout(resolve, 600));
    socket.write('still here');
    const [echo] = await once(socket, 'data');
    expect(String(echo)).toBe('still here');
    socket.destroy();
  });
});
