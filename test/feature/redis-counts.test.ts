import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createClient } from '@redis/client';
import { waitFor } from '../../hack/mesh/wait.ts';
import { silentLogger } from '../../kube/logger.ts';
import type { Hit } from '../../operator/ratelimit/counters.ts';
import { RedisCounters } from '../../operator/ratelimit/redis-counters.ts';
import { ValkeyProcess } from './support/valkey-process.ts';

/** What a real Valkey counts for us, asked without a proxy, so that each window and each figure can be looked at. */

const PASSWORD = 'sesame';
const TIMEOUT_MS = 20_000;
const UNIT_MS = { Second: 1_000, Minute: 60_000, Hour: 3_600_000, Day: 86_400_000 } as const;
/** What a machine that has other things to do may take between two commands, in ms. */
const SLOW_MS = 20_000;

const SHORTENED_MS = 60_000;

let valkey: ValkeyProcess;
let client: ReturnType<typeof createClient>;
let counters: RedisCounters;
let nth = 0;
let domain = '';
const credentials: { username?: string; password: string } = { password: PASSWORD };

beforeAll(async () => {
  valkey = await ValkeyProcess.start(PASSWORD);
  client = createClient({ url: valkey.url, password: PASSWORD });
  await client.connect();
  counters = open();
  await waitFor('a connection', () => counters.count('ready', [hit({})]));
}, 60_000);

afterAll(async () => {
  counters?.stop();
  client?.destroy();
  await valkey?.remove();
});

beforeEach(() => {
  nth += 1;
  domain = `policy-${nth}`;
});

function open(): RedisCounters {
  const access = { url: valkey.url, credentials: async () => ({ ...credentials }), timeoutMs: TIMEOUT_MS };
  const made = new RedisCounters(access, silentLogger);
  made.start();
  return made;
}

const hit = (some: Partial<Hit>): Hit => ({
  key: 'limit',
  overflow: 'limit',
  hits: 1,
  requests: 5,
  unit: 'Day',
  ...some,
});

async function remaining(...hits: Hit[]): Promise<number[]> {
  return (await counters.count(domain, hits)).map((tally) => tally.remaining);
}

/** How long the only key of this test's policy lasts, in ms. */
async function lasts(change?: (key: string) => Promise<unknown>): Promise<number> {
  const [key = '', ...others] = await client.keys(`*${domain}:*`);
  expect(others).toEqual([]);
  await change?.(key);
  return client.pTTL(key);
}

test.each(Object.entries(UNIT_MS) as [Hit['unit'], number][])('a window of a %s lasts so long', async (unit, ms) => {
  const [tally] = await counters.count(domain, [hit({ unit })]);
  expect(tally).toMatchObject({ over: false, remaining: 4 });
  expect(tally?.resetMs).toBe(ms);
  // It may be over by now; that it ends is shown below.
  if (unit === 'Second') return;
  const left = await lasts();
  expect(left).toBeGreaterThan(ms - SLOW_MS);
  expect(left).toBeLessThanOrEqual(ms);
});

test('it begins with its first request, and not anew with others', async () => {
  await remaining(hit({}));
  await lasts((key) => client.pExpire(key, SHORTENED_MS));
  const [tally] = await counters.count(domain, [hit({})]);
  expect(tally?.remaining).toBe(3);
  expect(tally?.resetMs).toBeLessThanOrEqual(SHORTENED_MS);
  expect(tally?.resetMs).toBeGreaterThan(SHORTENED_MS - SLOW_MS);
  expect(await lasts()).toBeLessThanOrEqual(SHORTENED_MS);
});

test('what it ends with is forgotten', async () => {
  expect(await remaining(hit({ unit: 'Second', hits: 5 }))).toEqual([0]);
  await waitFor('the end of the window', async () =>
    (await client.keys(`*${domain}:*`)).length === 0 ? 1 : undefined,
  );
  expect(await remaining(hit({ unit: 'Second' }))).toEqual([4]);
});

test('a key that lost its end has one again', async () => {
  await remaining(hit({}));
  await lasts((key) => client.persist(key));
  expect(await remaining(hit({}))).toEqual([3]);
  expect(await lasts()).toBeGreaterThan(0);
});

test('policies, keys and units count apart', async () => {
  expect(await remaining(hit({}), hit({ unit: 'Hour' }), hit({ key: 'other' }))).toEqual([4, 4, 4]);
  expect(await counters.count(`${domain}-too`, [hit({})])).toMatchObject([{ remaining: 4 }]);
});

test('tallies come in the order of hits, each against its own limit', async () => {
  const tallies = await counters.count(domain, [hit({ hits: 3 }), hit({ key: 'b', requests: 2, hits: 3 })]);
  expect(tallies).toMatchObject([
    { over: false, remaining: 2 },
    { over: true, remaining: 0 },
  ]);
  expect(await remaining(hit({ hits: 2 }))).toEqual([0]);
  expect(await counters.count(domain, [hit({})])).toMatchObject([{ over: true }]);
});

test('replicas count together', async () => {
  const other = open();
  try {
    await waitFor('a connection of the other', () => other.count('ready', [hit({})]));
    await remaining(hit({}));
    expect(await other.count(domain, [hit({})])).toMatchObject([{ remaining: 3 }]);
  } finally {
    other.stop();
  }
});

test('its credentials are read at each connection, user and password', async () => {
  await client.sendCommand(['ACL', 'SETUSER', 'heddle', 'on', '>first', '~*', '+@all']);
  Object.assign(credentials, { username: 'heddle', password: 'first' });
  await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
  const isUser = async () =>
    String(await client.sendCommand(['CLIENT', 'LIST'])).includes('user=heddle') ? true : undefined;
  await waitFor('a connection of the user', isUser);
  await waitFor('an answer to it', () => counters.count(domain, [hit({})]));
  await client.sendCommand(['ACL', 'SETUSER', 'heddle', 'resetpass', '>second']);
  Object.assign(credentials, { password: 'second' });
  await client.sendCommand(['CLIENT', 'KILL', 'USER', 'heddle']);
  await waitFor('one with the new password', () => counters.count(domain, [hit({})]));
});

test('so much waits for an answer and no more: what comes then is told at once', async () => {
  const many = Array.from({ length: 20_100 }, (_, key) => hit({ key: String(key) }));
  valkey.pause();
  const begun = performance.now();
  try {
    await expect(counters.count(domain, many)).rejects.toThrow(/queue/);
    expect(performance.now() - begun).toBeLessThan(TIMEOUT_MS);
  } finally {
    valkey.goOn();
  }
}, 60_000);
