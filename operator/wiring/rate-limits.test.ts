import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { readMeshConfig } from '../../api/mesh-config.ts';
import {
  RateLimitRequestSchema,
  RateLimitResponse_Code,
  RateLimitResponseSchema,
} from '../../generated/envoy/envoy/service/ratelimit/v3/rls_pb.js';
import { silentLogger } from '../../kube/logger.ts';
import { buildSnapshot } from '../mesh/mesh-builder.ts';
import { pod, rateLimitPolicy, SETTINGS } from '../mesh/testing/objects.ts';
import { RATE_LIMIT_PATH } from '../ratelimit/rate-limit-service.ts';
import { COUNT_PATH } from '../ratelimit/shared-counters.ts';
import { type RateLimitOptions, startRateLimits } from './rate-limits.ts';

const snapshot = buildSnapshot(SETTINGS, [
  { kind: 'Pod', object: pod('web') },
  { kind: 'Pod', object: pod('other', { namespace: 'bank' }) },
  {
    kind: 'RateLimitPolicy',
    object: rateLimitPolicy('shop/a', { limits: [{ scope: 'Global', requests: 1, unit: 'Hour' }] }),
  },
]);
const authenticator = { authenticate: () => Promise.reject(new Error('nobody asks')) };

function start(config: string) {
  const options = {
    config: readMeshConfig(config),
    api: { get: () => Promise.reject(new Error('there is no such Secret')) },
    namespace: 'heddle-system',
    snapshot: () => snapshot,
    replicas: {
      authenticator,
      counting: { self: 'operator-1', others: () => [], ask: () => Promise.reject(new Error('nobody is there')) },
    },
    logger: silentLogger,
  };
  // Of the authenticator nothing is used but that.
  return startRateLimits(options as unknown as RateLimitOptions);
}

const question = Buffer.from(
  toBinary(
    RateLimitRequestSchema,
    create(RateLimitRequestSchema, { domain: 'shop/a', descriptors: [{ entries: [{ key: 'limit', value: '0' }] }] }),
  ),
);

function asker({ calls }: ReturnType<typeof start>) {
  const call = calls.find(({ path }) => path === RATE_LIMIT_PATH);
  return async (uid: string) => {
    const identity = { uid, podName: '', namespace: '', serviceAccount: '' };
    const answer = await call?.answer(identity, question);
    return RateLimitResponse_Code[fromBinary(RateLimitResponseSchema, answer ?? new Uint8Array()).overallCode];
  };
}

test('without Redis counts are in memory, for other replicas too', async () => {
  const server = start('');
  const ask = asker(server);
  expect([await ask('uid-web'), await ask('uid-web')]).toEqual(['OK', 'OVER_LIMIT']);
  // The policy is not about that pod.
  expect([await ask('uid-other'), await ask('gone')]).toEqual(['OK', 'OK']);
  const counted = server.calls.find(({ path }) => path === COUNT_PATH);
  expect(counted?.authenticator).toBe(authenticator);
  server.stop();
});

test('with a Redis that is not there nothing is answered, and no other replica is asked', async () => {
  const server = start('redis: {url: "redis://127.0.0.1:1/0", passwordSecret: heddle-redis}');
  expect(server.calls.map(({ path }) => path)).toEqual([RATE_LIMIT_PATH]);
  await expect(asker(server)('uid-web')).rejects.toThrow('no connection to Redis');
  server.stop();
});
