import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import {
  RateLimitRequestSchema,
  RateLimitResponse_Code,
  RateLimitResponseSchema,
} from '../../generated/envoy/envoy/service/ratelimit/v3/rls_pb.js';
import type { RateLimitRules } from '../mesh/rate-limits.ts';
import type { Counters } from './counters.ts';
import { MemoryCounters } from './memory-counters.ts';
import { RateLimitService } from './rate-limit-service.ts';

const rules: RateLimitRules = {
  ref: { kind: 'RateLimitPolicy', namespace: 'shop', name: 'a' },
  digest: '',
  spec: {
    limits: [
      { requests: 1, unit: 'Second' },
      {
        scope: 'Global',
        requests: 2,
        unit: 'Minute',
        countBy: [{ kind: 'Caller' }],
        overrides: [
          { values: ['cluster.local/ns/shop/sa/ui'], requests: 3, unit: 'Hour' },
          { values: ['cluster.local/ns/shop/sa/cron'], requests: 0 },
        ],
      },
    ],
  },
};
const { OK, OVER_LIMIT } = RateLimitResponse_Code;

function newService() {
  const counters = new MemoryCounters(() => 0);
  return new RateLimitService(counters, (uid, domain) => (uid === 'web' && domain === 'shop/a' ? rules : undefined));
}

async function ask(service: RateLimitService, uid: string, ...descriptors: Readonly<Record<string, string>>[]) {
  const request = create(RateLimitRequestSchema, {
    domain: 'shop/a',
    descriptors: descriptors.map((one) => ({ entries: Object.entries(one).map(([key, value]) => ({ key, value })) })),
  });
  const answer = fromBinary(
    RateLimitResponseSchema,
    await service.answer(uid, toBinary(RateLimitRequestSchema, request)),
  );
  const { overallCode, statuses, responseHeadersToAdd } = answer;
  const limits = statuses.map(({ currentLimit, limitRemaining }) => [currentLimit?.requestsPerUnit, limitRemaining]);
  return { overallCode, limits, headers: responseHeadersToAdd.map(({ key, value }) => `${key}: ${value}`) };
}

test('a request is counted against its limit, by what it is counted by', async () => {
  const service = newService();
  const someone = { limit: '1', by0: 'spiffe://cluster.local/ns/shop/sa/batch' };
  const ui = { limit: '1', by0: 'spiffe://cluster.local/ns/shop/sa/ui' };
  expect(await ask(service, 'web', someone)).toEqual({ overallCode: OK, limits: [[2, 1]], headers: [] });
  await ask(service, 'web', someone);
  expect(await ask(service, 'web', someone)).toEqual({
    overallCode: OVER_LIMIT,
    limits: [[2, 0]],
    headers: ['retry-after: 60'],
  });
  expect(await ask(service, 'web', ui)).toMatchObject({ overallCode: OK, limits: [[3, 2]] });
});

test('who has a limit of its own has it per unit of the limit, unless it has a unit of its own', async () => {
  const service = newService();
  const of = (account: string) => ({ limit: '1', by0: `spiffe://cluster.local/ns/shop/sa/${account}` });
  const cron = await ask(service, 'web', of('cron'));
  expect(cron).toEqual({ overallCode: OVER_LIMIT, limits: [[0, 0]], headers: ['retry-after: 60'] });
  for (let n = 0; n < 3; n++) await ask(service, 'web', of('ui'));
  expect(await ask(service, 'web', of('ui'))).toMatchObject({ headers: ['retry-after: 3600'] });
});

test('what is of no global limit, of no such policy, or of a policy that is not about the pod, is within', async () => {
  const service = newService();
  for (const [uid, name] of [
    ['web', '0'],
    ['web', 'gone'],
    ['other', '1'],
  ] as const) {
    for (let n = 0; n < 5; n++) {
      expect(await ask(service, uid, { limit: name })).toEqual({ overallCode: OK, limits: [], headers: [] });
    }
  }
});

test('nobody counts for more than a limit can have, which no store could add up', async () => {
  const counted: number[] = [];
  const memory = new MemoryCounters(() => 0);
  const counters: Counters = {
    count: (domain, hits) => {
      counted.push(...hits.map((one) => one.hits));
      return memory.count(domain, hits);
    },
  };
  const service = new RateLimitService(counters, () => rules);
  const entries = [{ key: 'limit', value: '1' }];
  for (const more of [{ hitsAddend: 2n ** 64n - 1n }, { hitsAddend: 2n ** 62n }, { hitsAddend: 2n }, {}]) {
    const request = create(RateLimitRequestSchema, {
      domain: 'shop/a',
      hitsAddend: 2 ** 32 - 1,
      descriptors: [{ entries, ...more }],
    });
    await service.answer('web', toBinary(RateLimitRequestSchema, request));
  }
  expect(counted).toEqual([1e9, 1e9, 2, 1e9]);
});

test('a value of many kB is counted like any other', async () => {
  const service = newService();
  const long = 'x'.repeat(60_000);
  for (const remaining of [1, 0]) {
    expect(await ask(service, 'web', { limit: '1', by0: long })).toMatchObject({ limits: [[2, remaining]] });
  }
  expect(await ask(service, 'web', { limit: '1', by0: `${long}y` })).toMatchObject({ limits: [[2, 1]] });
});
