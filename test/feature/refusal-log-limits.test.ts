import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NO_KEYS } from '../../api/jwk-set.ts';
import { MemoryCounters } from '../../operator/ratelimit/memory-counters.ts';
import { RateLimitWorld } from './support/rate-limit-world.ts';

/** What a real sidecar writes, and tells the operator, of requests over a limit, and of tokens that are not valid. */

const once = (scope: 'Local' | 'Global') => ({ limits: [{ scope, requests: 1, unit: 'Day' as const }] });
let world: RateLimitWorld;

beforeAll(async () => {
  const services = {
    own: { policy: once('Local') },
    all: { policy: once('Global') },
    users: {
      policy: { limits: [{ requests: 1000, unit: 'Second' as const }] },
      jwtRules: [{ issuer: 'https://id.example', jwks: NO_KEYS }],
    },
  };
  world = await RateLimitWorld.start(services, new MemoryCounters());
}, 60_000);
afterAll(() => world?.stop());

/** Asks until something is so. */
async function until(what: () => string, isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(what());
}

test.each([
  ['own', { path: '/own' }, 429, 'RateLimitPolicy shop/own'],
  ['all', { path: '/all' }, 429, 'RateLimitPolicy shop/all'],
  ['users', { path: '/users', headers: { authorization: 'Bearer a.b.c' } }, 401, 'RequestAuthentication shop/users'],
])(
  '%s is named, and counted',
  async (name, question, status, decidedBy) => {
    expect(await world.statuses(2, name, question)).toContain(status);
    await until(
      () => `no line names ${decidedBy}: ${world.log()}`,
      () => world.log().includes(`"decided_by":"${decidedBy}"`),
    );
    const [kind = '', namespace = '', policy = ''] = decidedBy.split(/[ /]/);
    const { ledger } = world;
    const told = () => ledger.refused({ kind, namespace, name: policy }, ledger.startedAt, Date.now());
    const refused = status === 401 ? 2 : 1;
    await until(
      () => `told of ${decidedBy}: ${JSON.stringify(told())}`,
      () => told().refused === refused,
    );
    expect(told()).toEqual({ refused, shared: 0 });
  },
  90_000,
);
