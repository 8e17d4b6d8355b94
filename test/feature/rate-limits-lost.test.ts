import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '@redis/client';
import type { RateLimitPolicySpec } from '../../api/rate-limit-policy.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { silentLogger } from '../../kube/logger.ts';
import { MeshBuilder } from '../../operator/mesh/mesh-builder.ts';
import { pod, rateLimitPolicy, SETTINGS } from '../../operator/mesh/testing/objects.ts';
import { RedisCounters } from '../../operator/ratelimit/redis-counters.ts';
import type { EnforcementSource } from '../../operator/status/enforcement.ts';
import type { PolicyObjects, PolicyStatus } from '../../operator/status/policy-objects.ts';
import { StatusWriter } from '../../operator/status/status-writer.ts';
import { ValkeyProcess } from './support/valkey-process.ts';

/** What policies say while counts of global limits can't be asked of a real Valkey. */

const PASSWORD = 'sesame';
const SOON = { timeoutMs: 30_000, everyMs: 20 };
const quota = { scope: 'Global' as const, requests: 20, unit: 'Day' as const };
const POLICIES: Readonly<Record<string, RateLimitPolicySpec>> = {
  open: { limits: [quota] },
  closed: { limits: [quota], failureMode: 'Closed' },
  trial: { limits: [quota], failureMode: 'Closed', dryRun: true },
  local: { limits: [{ requests: 20, unit: 'Day' }] },
};
const NAMES = Object.keys(POLICIES);
const ACKNOWLEDGED: EnforcementSource = {
  inForce: () => true,
  rejection: () => undefined,
  reports: () => true,
  refuses: () => '',
  onChange: () => () => {},
};

const written = new Map<string, PolicyStatus>();
const objects: PolicyObjects = {
  kinds: new Set(['RateLimitPolicy']),
  get: ({ name }) => ({ uid: name, status: written.get(name) ?? {} }),
  withStatus: () => [],
  applyStatus: async ({ name }, _, status) => {
    written.set(name, status);
  },
};
let valkey: ValkeyProcess;
let counters: RedisCounters;
let writer: StatusWriter;

beforeAll(async () => {
  valkey = await ValkeyProcess.start(PASSWORD);
  const access = { url: valkey.url, credentials: async () => ({ password: PASSWORD }), timeoutMs: 500 };
  counters = new RedisCounters(access, silentLogger);
  counters.start();
  const settings = { ...SETTINGS, rateLimits: { redis: true } };
  writer = new StatusWriter({ objects, enforcement: ACKNOWLEDGED, counts: counters.state, intervalMs: 0, settleMs: 0 });
  const { snapshot, delta } = new MeshBuilder(settings).apply([
    { kind: 'Pod', key: 'shop/web', object: pod('web') },
    ...Object.entries(POLICIES).map(([name, spec]) => {
      return { kind: 'RateLimitPolicy' as const, key: `shop/${name}`, object: rateLimitPolicy(`shop/${name}`, spec) };
    }),
  ]);
  writer.update(snapshot, delta);
  writer.start();
  await waitUntil('policies say that they are in force', () => inForce(NAMES), SOON);
}, 60_000);

afterAll(async () => {
  writer?.stop();
  counters?.stop();
  await valkey?.remove();
});

const degraded = (name: string) => written.get(name)?.conditions?.find(({ type }) => type === 'Degraded');

async function inForce(names: readonly string[]): Promise<string | undefined> {
  const behind = names.filter((name) => {
    const conditions = written.get(name)?.conditions ?? [];
    const says = (type: string, status: string): boolean =>
      conditions.some((one) => one.type === type && one.status === status);
    return conditions.length !== 3 || !says('Accepted', 'True') || !says('Programmed', 'True');
  });
  return behind.length === 0 ? undefined : `${behind.join(', ')}: ${JSON.stringify(written.get(behind[0] ?? ''))}`;
}

async function lost(why: RegExp): Promise<string | undefined> {
  const silent = ['open', 'closed', 'trial'].filter((name) => !why.test(degraded(name)?.message ?? ''));
  return silent.length === 0 ? undefined : `${silent.join(', ')}: ${JSON.stringify(degraded(silent[0] ?? ''))}`;
}

async function configure(...command: string[]): Promise<void> {
  const client = createClient({ url: valkey.url, password: PASSWORD });
  await client.connect();
  await client.sendCommand(['CONFIG', 'SET', ...command]);
  client.destroy();
}

const WAYS: Record<string, { lose(): Promise<void>; why: RegExp; mend(): Promise<void> }> = {
  'that ended': {
    lose: () => valkey.stop(),
    why: /no connection to Redis: .*ECONNREFUSED/,
    mend: () => valkey.start(),
  },
  'that says nothing any more': {
    lose: async () => valkey.pause(),
    why: /did not answer within 500 ms/,
    mend: async () => valkey.goOn(),
  },
  'that is full': {
    lose: () => configure('maxmemory', '1'),
    why: /OOM/,
    mend: () => configure('maxmemory', '0'),
  },
};

describe.each(Object.entries(WAYS))('without a Redis, as with one %s', (_, { lose, why, mend }) => {
  test('policies with global limits say what becomes of requests, until it is back', async () => {
    await lose();
    try {
      await waitUntil('policies say so', () => lost(why), SOON);
      for (const name of ['open', 'closed', 'trial']) {
        expect(degraded(name)).toMatchObject({ status: 'True', reason: 'CountsUnavailable' });
      }
      expect(degraded('open')?.message).toContain('requests pass that they alone would refuse (failureMode Open)');
      expect(degraded('closed')?.message).toContain('are answered 503 (failureMode Closed)');
      expect(degraded('trial')?.message).toContain('what they would refuse is not known');
      expect(degraded('local')).toBeUndefined();
    } finally {
      await mend();
    }
    await waitUntil('policies say that they are in force again', () => inForce(NAMES), SOON);
  }, 90_000);
});
