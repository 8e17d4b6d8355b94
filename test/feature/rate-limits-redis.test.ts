import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { silentLogger } from '../../kube/logger.ts';
import { RedisCounters } from '../../operator/ratelimit/redis-counters.ts';
import { readCredentials } from '../../operator/wiring/rate-limits.ts';
import { RateLimitWorld } from './support/rate-limit-world.ts';
import { ValkeyProcess } from './support/valkey-process.ts';

/** Global limits whose counts are in a real Valkey, with two real Envoys. */

const PASSWORD = 'sesame';
const TIMEOUT_MS = 2000;
const quota = (requests: number) => ({ scope: 'Global' as const, requests, unit: 'Day' as const });

let valkey: ValkeyProcess;
let world: RateLimitWorld;
const made: RedisCounters[] = [];

beforeAll(async () => {
  valkey = await ValkeyProcess.start(PASSWORD);
  const services = {
    quota: { policy: { limits: [quota(20)] } },
    kept: { policy: { limits: [quota(5)] } },
    open: { policy: { limits: [quota(2)] } },
    closed: { policy: { limits: [quota(2)], failureMode: 'Closed' as const } },
    wake: { policy: { limits: [quota(1000)], failureMode: 'Closed' as const } },
  };
  world = await RateLimitWorld.start(services, newCounters(), { pods: 2 });
  await world.untilAnswered('wake');
}, 90_000);

afterAll(async () => {
  await world?.stop();
  for (const counters of made) counters.stop();
  await valkey?.remove();
});

function newCounters(): RedisCounters {
  // As the operator reads it.
  const data = { password: Buffer.from(`${PASSWORD}\n`).toString('base64') };
  const api = { get: async () => ({ data }) } as unknown as Parameters<typeof readCredentials>[0];
  const credentials = () => readCredentials(api, 'heddle-system', 'heddle-redis');
  const access = { url: valkey.url, credentials, timeoutMs: TIMEOUT_MS };
  const counters = new RedisCounters(access, silentLogger);
  counters.start();
  made.push(counters);
  return counters;
}

async function served(count: number, name: string): Promise<number> {
  const answers = await Promise.all([0, 1].map((pod) => world.statuses(count, name, { pod })));
  return answers.flat().filter((status) => status === 200).length;
}

test('a quota is held over a restart of the operator', async () => {
  expect(await served(7, 'quota')).toBe(14);
  await world.restartOperator(newCounters());
  await world.untilAnswered('wake');
  expect(await served(7, 'quota')).toBe(6);
}, 60_000);

test('without Redis requests pass or not, as the policy says; what was counted is still counted after it', async () => {
  expect(await world.statuses(3, 'kept')).toEqual([200, 200, 200]);
  await valkey.stop();
  expect(await world.statuses(4, 'open')).toEqual([200, 200, 200, 200]);
  expect(await world.statuses(2, 'closed')).toEqual([503, 503]);
  await valkey.start();
  await world.untilAnswered('wake');
  expect(await world.statuses(3, 'kept')).toEqual([200, 200, 429]);
  expect(await world.statuses(3, 'closed')).toEqual([200, 200, 429]);
}, 90_000);

test('a Redis that says nothing any more is as good as none', async () => {
  valkey.pause();
  expect(await world.statuses(2, 'wake')).toEqual([503, 503]);
  expect((await world.ask('open')).status).toBe(200);
  valkey.goOn();
  await world.untilAnswered('wake');
  expect((await world.ask('wake')).status).toBe(200);
}, 60_000);
