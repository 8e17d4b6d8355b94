import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MemoryCounters } from '../../operator/ratelimit/memory-counters.ts';
import { reportDryRun } from '../../operator/wiring/dry-run-report.ts';
import { reportWindow } from '../../operator/wiring/report-window.ts';
import { offer } from './support/offered-load.ts';
import { RateLimitWorld } from './support/rate-limit-world.ts';
import { ISSUER, testIssuer } from './support/test-tokens.ts';

/** Limits that a proxy counts for itself, in the real Envoy. */

const RATE = 50;
const UI = 'cluster.local/ns/shop/sa/ui';
const BATCH = 'cluster.local/ns/shop/sa/batch';
const issuer = testIssuer('ES256', 'a');
const jwtRules = [{ issuer: ISSUER, jwks: JSON.stringify({ keys: [issuer.jwk] }) }];
const hour = (requests: number) => ({ requests, unit: 'Hour' as const });

let world: RateLimitWorld;

beforeAll(async () => {
  const services = {
    steady: { policy: { limits: [{ requests: RATE, unit: 'Second' as const }] } },
    caller: {
      policy: {
        limits: [{ ...hour(2), countBy: [{ kind: 'Caller' as const }], overrides: [{ values: [UI], requests: 4 }] }],
      },
    },
    header: { policy: { limits: [{ ...hour(2), countBy: [{ kind: 'Header' as const, name: 'x-user' }] }] } },
    claim: {
      policy: { limits: [{ ...hour(2), countBy: [{ kind: 'Claim' as const, name: 'realm.tenant' }] }] },
      jwtRules,
    },
    routes: {
      policy: {
        limits: [
          {
            ...hour(3),
            match: [
              { uri: { exact: '/pay' }, method: { exact: 'POST' } },
              { uri: { prefix: '/admin/' }, headers: { 'x-team': { regex: 'a|b' } } },
            ],
          },
        ],
      },
    },
    login: { policy: { limits: [{ ...hour(3), match: [{ uri: { exact: '/login' } }] }] } },
    folder: { policy: { limits: [{ ...hour(3), match: [{ uri: { prefix: '/account/' } }] }] } },
    both: { policy: { limits: [hour(5), { ...hour(1), match: [{ uri: { exact: '/one' } }] }] } },
    answer: { policy: { limits: [hour(1)], response: { status: 503, headers: { 'x-why': 'too much' } } } },
    quiet: { policy: { limits: [hour(1)], response: { limitHeaders: false } } },
    tried: { policy: { limits: [hour(1)], dryRun: true } },
  };
  world = await RateLimitWorld.start(services, new MemoryCounters(), { principals: [UI, BATCH] });
}, 60_000);
afterAll(() => world?.stop());

const repeated = (status: number, count: number): number[] => Array.from({ length: count }, () => status);

test('a rate is held within 5 % under load that is above it', async () => {
  const lines = () => Promise.all(Array.from({ length: 8 }, () => world.line('steady')));
  // A full bucket is emptied first. It holds a second's worth, so that a stall of the machine loses nothing.
  await offer(await lines(), 1);
  const { served, refused, seconds } = await offer(await lines(), 20);
  expect(refused).toBeGreaterThan(served / 10);
  expect(served / (RATE * seconds)).toBeGreaterThan(0.95);
  expect(served / (RATE * seconds)).toBeLessThan(1.05);
}, 60_000);

describe('requests are counted', () => {
  test('by who calls, with a rate of its own for some', async () => {
    expect(await world.statuses(3, 'caller', { principal: BATCH })).toEqual([200, 200, 429]);
    expect(await world.statuses(5, 'caller', { principal: UI })).toEqual([...repeated(200, 4), 429]);
    // Who has no certificate is nobody, and nobody is one.
    expect(await world.statuses(3, 'caller')).toEqual([200, 200, 429]);
  });

  test('by the value of a header, without which they count together', async () => {
    for (const user of ['ann', 'bob', undefined]) {
      const headers: Record<string, string> = user === undefined ? {} : { 'x-user': user };
      expect(await world.statuses(3, 'header', { headers })).toEqual([200, 200, 429]);
    }
  });

  test('by a claim of a token, a text or a number', async () => {
    for (const tenant of ['blue', 'red', 7]) {
      const headers = { authorization: `Bearer ${issuer.token({ realm: { tenant } })}` };
      expect(await world.statuses(3, 'claim', { headers })).toEqual([200, 200, 429]);
    }
    expect(await world.statuses(3, 'claim')).toEqual([200, 200, 429]);
    const forged = { authorization: `Bearer ${testIssuer('ES256', 'a').token({ realm: { tenant: 'green' } })}` };
    expect((await world.ask('claim', { headers: forged })).status).toBe(401);
  });

  test('by what they ask for: all matches of a limit have one count', async () => {
    const pay = { method: 'POST', path: '/pay?x=1' };
    const admin = { path: '/admin/a', headers: { 'x-team': 'b' } };
    expect(await world.statuses(2, 'routes', pay)).toEqual([200, 200]);
    expect(await world.statuses(2, 'routes', admin)).toEqual([200, 429]);
    expect((await world.ask('routes', pay)).status).toBe(429);
    for (const other of [{ path: '/pay' }, { method: 'POST', path: '/pays' }, { path: '/admin/a' }, { path: '/' }]) {
      expect(await world.statuses(2, 'routes', other)).toEqual([200, 200]);
    }
  });

  test('by paths that some servers take for the one that is limited', async () => {
    for (const [service, path] of [
      ['login', 'login?a=/..;/'],
      ['folder', 'account/password'],
    ] as const) {
      const plain = `/${path}`;
      const tricky = `/x/%2e%2e;v=1/${path}`;
      expect(await world.statuses(2, service, { path: plain })).toEqual([200, 200]);
      expect(await world.statuses(2, service, { path: tricky })).toEqual([200, 429]);
      expect((await world.ask(service, { path: plain })).status).toBe(429);
      for (const other of ['/x?next=/..;/login', '/x/..login', '/.hidden;a']) {
        expect((await world.ask(service, { path: other })).status).toBe(200);
      }
    }
  });

  test('against each limit that is about them', async () => {
    expect(await world.statuses(2, 'both', { path: '/one' })).toEqual([200, 429]);
    expect(await world.statuses(2, 'both', { path: '/' })).toEqual([200, 200]);
  });
});

describe('the answer', () => {
  test('tells of the limit, and when to come back', async () => {
    const first = await world.ask('answer');
    expect(first).toMatchObject({ status: 200, headers: { 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '0' } });
    const { status, headers } = await world.ask('answer');
    expect({ status, why: headers['x-why'] }).toEqual({ status: 503, why: 'too much' });
    expect(Number(headers['retry-after'])).toBeGreaterThan(3000);
    expect(Number(headers['x-ratelimit-reset'])).toBeGreaterThan(3000);
  });

  test('does not tell of it where the policy says so', async () => {
    for (const status of [200, 429]) {
      const answer = await world.ask('quiet');
      expect(answer.status).toBe(status);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
    }
  });
});

test('a dry run refuses nothing, and says what it would have', async () => {
  expect(await world.statuses(4, 'tried')).toEqual(repeated(200, 4));
  const policy = { kind: 'RateLimitPolicy', namespace: 'shop', name: 'tried' };
  const { ledger } = world;
  const told = (): string => reportDryRun(ledger, policy, reportWindow(ledger.startedAt, Date.now()));
  for (const end = performance.now() + 15_000; performance.now() < end && !told().includes('refused 3 times'); ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(told()).toContain('Its limits would have refused 3 times');
}, 30_000);
