import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { HttpRule } from '../../operator/mesh/route-rule.ts';
import type { HashPolicy } from '../../operator/xds/http-route-hashes.ts';
import { backend, match, rule } from '../../operator/xds/testing/http-rule-fixture.ts';
import { credibleRange } from './support/binomial.ts';
import { type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { type RoutedEnvoy, startRoutedEnvoy } from './support/routed-envoy.ts';

/**
 * What only many requests show, in the real Envoy. Counts are held to ranges outside of which chance alone leads less than once in a billion runs
 * (`credibleRange`).
 */

const at = (path: string, more: Partial<HttpRule>): HttpRule =>
  rule({ matches: [match({ uri: { kind: 'prefix', value: path } })], ...more });
const to = (...backends: ReturnType<typeof backend>[]) => ({ kind: 'forward', backends }) as const;

const HASHES: Readonly<Record<string, HashPolicy>> = {
  'by-header': { kind: 'header', name: 'x-user' },
  'by-query': { kind: 'query', name: 'user' },
  'by-source': { kind: 'source-ip' },
  'by-cookie': { kind: 'cookie', name: 'user', path: '/', ttlMs: 60_000 },
};

let envoy: RoutedEnvoy;
let backends: readonly EchoBackend[];

const seenBy = (name: string): number => backends.find((one) => one.name === name)?.seen.length ?? 0;

function expectShare(count: number, tries: number, chance: number): void {
  const { least, most } = credibleRange(tries, chance);
  expect(count).toBeGreaterThanOrEqual(least);
  expect(count).toBeLessThanOrEqual(most);
}

beforeAll(async () => {
  backends = await Promise.all(['a', 'b', 'c', 'm', 'n'].map((name) => startEchoBackend(name)));
  const rules = [
    at('/weights', { action: to(backend('a', 5), backend('b', 95)) }),
    at('/release', { action: to(backend('split', 40), backend('c', 60)) }),
    at('/abort', { fault: { abort: { httpStatus: 418, percent: 20 } } }),
    at('/rarely', { fault: { abort: { httpStatus: 418, percent: 0.1 } } }),
    at('/delay', { fault: { delay: { fixedMs: 1, percent: 25 } } }),
    at('/mirror', {
      mirrors: [
        { hostname: 'm', percent: 100 },
        { hostname: 'n', percent: 30 },
      ],
    }),
    ...Object.keys(HASHES).map((name) => at(`/${name}`, { action: to(backend(name)) })),
    rule(),
  ];
  const clusters = Object.fromEntries(backends.map((one) => [one.name, [one]]));
  const hashed = Object.entries(HASHES).map(([name, policy]) => [
    name,
    { shares: [{ cluster: 'ring', weight: 100 }], hashPolicies: [policy] },
  ]);
  const split = [
    { cluster: 'a', weight: 95 },
    { cluster: 'b', weight: 5 },
  ];
  envoy = await startRoutedEnvoy(
    rules,
    { ...clusters, ring: backends.slice(0, 3) },
    { ...Object.fromEntries(hashed), split: { shares: split, hashPolicies: [] } },
  );
}, 120_000);
afterAll(async () => {
  await envoy?.process.stop();
  for (const one of backends ?? []) one.close();
});
beforeEach(() => {
  for (const one of backends) one.forget();
});

test('5 and 95 of a hundred requests go where they should', async () => {
  await envoy.callMany(4000, '/weights');
  expect(seenBy('a') + seenBy('b')).toBe(4000);
  expectShare(seenBy('a'), 4000, 0.05);
}, 30_000);

test('a release within a share gets its part of that', async () => {
  await envoy.callMany(4000, '/release');
  expectShare(seenBy('a'), 4000, 0.4 * 0.95);
  expectShare(seenBy('b'), 4000, 0.4 * 0.05);
  expectShare(seenBy('c'), 4000, 0.6);
}, 30_000);

test('a fifth of the requests is aborted, and none of them reaches the backend', async () => {
  const answers = await envoy.callMany(2000, '/abort');
  const aborted = answers.filter(({ status }) => status === 418).length;
  expectShare(aborted, 2000, 0.2);
  expect(seenBy('a')).toBe(2000 - aborted);
}, 30_000);

test('0.1 per cent is a fraction of one per cent', async () => {
  const answers = await envoy.callMany(2000, '/rarely');
  expectShare(answers.filter(({ status }) => status === 418).length, 2000, 0.001);
}, 30_000);

test('a quarter of the requests waits', async () => {
  const name = 'http.routes.fault.delays_injected';
  const before = await envoy.counter(name);
  await envoy.callMany(1000, '/delay');
  expectShare((await envoy.counter(name)) - before, 1000, 0.25);
}, 30_000);

test('a mirror sees its percentage, under the host that the client named', async () => {
  const answers = await envoy.callMany(1000, '/mirror', { headers: { host: 'shop.example' } });
  expect(new Set(answers.map(({ body }) => JSON.parse(body).backend))).toEqual(new Set(['a']));
  // Nobody waits for mirrored requests, so the last may come a little later.
  for (let wait = 0; wait < 200 && seenBy('m') < 1000; wait++) await new Promise((done) => setTimeout(done, 25));
  expect(seenBy('m')).toBe(1000);
  expectShare(seenBy('n'), 1000, 0.3);
  const hosts = backends.flatMap(({ seen }) => seen.map(({ headers }) => headers.host));
  expect(new Set(hosts)).toEqual(new Set(['shop.example']));
}, 30_000);

describe('requests that are alike go to the same endpoint', () => {
  // Ports of the endpoints are random. That all of 24 clients have the same of three has a chance of 3 * (1/3)^24, below 1e-10.
  const clients = Array.from({ length: 24 }, (_, index) => index + 1);

  const endpointOf = async (path: string, options = {}): Promise<string> =>
    JSON.parse((await envoy.call(path, options)).body).backend;

  test.each<[string, (client: number) => readonly [string, object?]]>([
    ['header', (client) => ['/by-header', { headers: { 'x-user': `user-${client}` } }]],
    ['query parameter', (client) => [`/by-query?user=user-${client}`]],
    ['source address', (client) => ['/by-source', { localAddress: `127.0.1.${client}` }]],
    ['cookie of their own', (client) => ['/by-cookie', { headers: { cookie: `user=user-${client}` } }]],
  ])('by %s', async (_, ask) => {
    const endpoints = new Set<string>();
    for (const client of clients) {
      const tries = new Set<string>();
      for (let request = 0; request < 4; request++) tries.add(await endpointOf(...ask(client)));
      expect(tries.size).toBe(1);
      for (const endpoint of tries) endpoints.add(endpoint);
    }
    expect(endpoints.size).toBeGreaterThan(1);
  });

  test('by a cookie that Envoy gives them', async () => {
    const first = await envoy.call('/by-cookie');
    const [cookie = ''] = first.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^user="?[^;]+; Max-Age=60; Path=\/; HttpOnly/);
    const headers = { cookie: cookie.split(';')[0] ?? '' };
    for (let request = 0; request < 8; request++) {
      expect(await endpointOf('/by-cookie', { headers })).toBe(JSON.parse(first.body).backend);
    }
  });
});
