import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Counters } from '../../operator/ratelimit/counters.ts';
import { MemoryCounters } from '../../operator/ratelimit/memory-counters.ts';
import { offer } from './support/offered-load.ts';
import { RateLimitWorld } from './support/rate-limit-world.ts';

/** Limits that all proxies count together, with four real Envoys that ask the operator. */

const PODS = 4;
const RATE = 100;
const UI = 'cluster.local/ns/shop/sa/ui';
const global = (requests: number, unit: 'Second' | 'Minute' | 'Hour' = 'Hour') => ({
  scope: 'Global' as const,
  requests,
  unit,
});

let world: RateLimitWorld;
/** Windows of the steady rate that have begun. */
let windows = 0;

/** In memory; notes windows as they begin. */
function notingCounters(): Counters {
  const counters = new MemoryCounters();
  return {
    count: async (domain, hits) => {
      const tallies = await counters.count(domain, hits);
      if (domain === 'shop/steady') windows += tallies.filter(({ remaining }) => remaining === RATE - 1).length;
      return tallies;
    },
  };
}

beforeAll(async () => {
  const services = {
    steady: { policy: { limits: [global(RATE, 'Second')] } },
    quota: { policy: { limits: [global(250)] } },
    caller: {
      policy: {
        limits: [{ ...global(6), countBy: [{ kind: 'Caller' as const }], overrides: [{ values: [UI], requests: 10 }] }],
      },
    },
    answer: { policy: { limits: [global(1)], response: { status: 503, headers: { 'x-why': 'too much' } } } },
    tried: { policy: { limits: [global(1)], dryRun: true, failureMode: 'Closed' as const } },
    open: { policy: { limits: [global(3)], failureMode: 'Open' as const } },
    closed: { policy: { limits: [global(3)], failureMode: 'Closed' as const } },
    wake: { policy: { limits: [global(1000)], failureMode: 'Closed' as const } },
    told: {
      policy: {
        limits: [
          global(6),
          { requests: 8, unit: 'Hour' as const, burst: 4 },
          { ...global(3), match: [{ uri: { exact: '/few' } }] },
        ],
      },
    },
    mixed: { policy: { limits: [global(4), { requests: 3, unit: 'Hour' as const }] } },
  };
  world = await RateLimitWorld.start(services, notingCounters(), { pods: PODS, principals: [UI] });
}, 90_000);
afterAll(() => world?.stop());

const eachPod = Array.from({ length: PODS }, (_, pod) => pod);

test('a rate is held within 5 % over four pods under load that is above it', async () => {
  const lines = await Promise.all([...eachPod, ...eachPod, ...eachPod].map((pod) => world.line('steady', { pod })));
  const { served, refused, others, seconds } = await offer(lines, 30);
  expect(others).toEqual([]);
  expect(refused).toBeGreaterThan(served / 10);
  // A window begins with a request: on a busy machine there are fewer of them, and each has its requests all the same.
  expect(served / (RATE * (windows - 1))).toBeGreaterThan(0.95);
  expect(served / (RATE * windows)).toBeLessThan(1.001);
  expect(served / (RATE * seconds)).toBeLessThan(1.05);
}, 90_000);

test('a quota is given out once, whichever pod is asked', async () => {
  const answers = await Promise.all(eachPod.map((pod) => world.statuses(100, 'quota', { pod })));
  expect(answers.flat().filter((status) => status === 200)).toHaveLength(250);
  expect(answers.flat().filter((status) => status === 429)).toHaveLength(150);
}, 60_000);

test('callers count apart, with a quota of their own for some', async () => {
  const served = async (principal?: string): Promise<number> => {
    const question = principal === undefined ? {} : { principal };
    const answers = await Promise.all(eachPod.map((pod) => world.statuses(4, 'caller', { pod, ...question })));
    return answers.flat().filter((status) => status === 200).length;
  };
  expect(await served()).toBe(6);
  expect(await served(UI)).toBe(10);
});

test('a local limit of the same policy counts in each pod', async () => {
  expect(await world.statuses(4, 'mixed', { pod: 0 })).toEqual([200, 200, 200, 429]);
  // What the local limit refused is no part of the quota.
  expect(await world.statuses(2, 'mixed', { pod: 1 })).toEqual([200, 429]);
});

test('the answer tells of the limit, and when to come back', async () => {
  const first = await world.ask('answer');
  expect(first).toMatchObject({ status: 200, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3600' } });
  expect(first.headers['x-ratelimit-limit']).toMatch(/^1\b/);
  expect(first.headers['retry-after']).toBeUndefined();
  const { status, headers } = await world.ask('answer', { pod: 1 });
  expect({ status, why: headers['x-why'] }).toEqual({ status: 503, why: 'too much' });
  expect(Number(headers['retry-after'])).toBeGreaterThan(3500);
});

test('an answer tells of one limit, the one that is nearest to its end, also where others refuse', async () => {
  // Headers of one name would be joined by commas.
  const tell = async (pod: number, path = '/'): Promise<unknown[]> => {
    const { status, headers } = await world.ask('told', { pod, path });
    expect(headers['x-ratelimit-reset']).toMatch(/^[0-9]+$/);
    return [status, headers['x-ratelimit-remaining'], headers['x-ratelimit-limit']];
  };
  // In the bucket of a pod are 4; all pods have 6.
  expect(await tell(0)).toEqual([200, '3', '4']);
  expect(await tell(0)).toEqual([200, '2', '4']);
  expect(await tell(0, '/few')).toEqual([200, '1', '4']);
  expect(await tell(0)).toEqual([200, '0', '4']);
  // Refused by its pod, which asks nobody then.
  expect(await tell(0)).toEqual([429, '0', '4']);
  expect(await tell(1, '/few')).toEqual([200, '1', expect.stringMatching(/^[36]\b/)]);
  expect(await tell(1)).toEqual([200, '0', expect.stringMatching(/^6\b/)]);
  // By all together, when the pod has 1 left.
  expect(await tell(1)).toEqual([429, '0', expect.stringMatching(/^6\b/)]);
});

test('a dry run refuses nothing and tells callers nothing', async () => {
  for (let n = 0; n < 3; n++) {
    const { status, headers } = await world.ask('tried');
    expect(status).toBe(200);
    expect(Object.keys(headers).filter((name) => /ratelimit|retry/.test(name))).toEqual([]);
  }
});

describe('without an operator', () => {
  test('requests pass or not, as the policy says, and then windows begin anew', async () => {
    expect(await world.statuses(4, 'open')).toEqual([200, 200, 200, 429]);
    expect(await world.statuses(4, 'closed')).toEqual([200, 200, 200, 429]);
    await world.restartOperator(new MemoryCounters(), async () => {
      expect(await world.statuses(5, 'open')).toEqual([200, 200, 200, 200, 200]);
      expect(await world.statuses(2, 'closed')).toEqual([503, 503]);
      expect((await world.ask('tried')).status).toBe(200);
    });
    await world.untilAnswered('wake');
    expect(await world.statuses(4, 'closed')).toEqual([200, 200, 200, 429]);
  }, 60_000);
});
