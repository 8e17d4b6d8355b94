import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  RateLimitRequestSchema,
  RateLimitResponseSchema,
} from '../../../generated/envoy/envoy/service/ratelimit/v3/rls_pb.js';
import type { RateLimitRules } from '../../../operator/mesh/rate-limits.ts';
import { decodeLimitRequest } from '../../../operator/ratelimit/limit-request.ts';
import { MemoryCounters } from '../../../operator/ratelimit/memory-counters.ts';
import { RateLimitService } from '../../../operator/ratelimit/rate-limit-service.ts';
import type { Target } from '../target.ts';
import { ofShortParts } from './repeated.ts';

const rules: RateLimitRules = {
  ref: { kind: 'RateLimitPolicy', namespace: 'shop', name: 'a' },
  digest: '',
  spec: {
    limits: [
      { scope: 'Global', requests: 2, unit: 'Minute', countBy: [{ kind: 'Caller' }] },
      { scope: 'Global', requests: 4_294_967_295, unit: 'Day', name: 'all' },
    ],
  },
};
const counters = new MemoryCounters(() => 0, { maxKeysPerDomain: 1000 });
const service = new RateLimitService(counters, (_, domain) => (domain === 'shop/a' ? rules : undefined));

type Fields = Parameters<typeof create<typeof RateLimitRequestSchema>>[1];
const request = (fields: Fields): Uint8Array =>
  toBinary(RateLimitRequestSchema, create(RateLimitRequestSchema, fields));
const entries = [
  { key: 'limit', value: '0' },
  { key: 'by0', value: 'spiffe://cluster.local/ns/shop/sa/ui' },
];

/** What proxies ask about limits. */
export const target: Target = {
  name: 'rate-limit',
  about: 'questions about rate limits, of proxies',
  form: 'protobuf',
  seeds: [
    request({ domain: 'shop/a', descriptors: [{ entries }] }),
    request({
      domain: 'shop/a',
      hitsAddend: 3,
      descriptors: [{ entries, hitsAddend: 2n }, { entries: [{ key: 'limit', value: 'all' }] }],
    }),
    request({ domain: 'shop/b', descriptors: [{ entries }] }),
  ],
  *largest() {
    yield* ofShortParts(['0a00', '1200', '12020a00', '1800', '7800', '7b']);
    const one = Buffer.from(request({ descriptors: [{ entries: entries.slice(0, 1) }] })).toString('hex');
    yield Buffer.concat([request({ domain: 'shop/a' }), ...ofShortParts([one])]);
  },
  async run(bytes) {
    if (!isRequest(bytes)) return;
    fromBinary(RateLimitResponseSchema, await service.answer('web', bytes));
  },
};

/** What is none is refused; all else is to be answered. */
function isRequest(bytes: Uint8Array): boolean {
  try {
    decodeLimitRequest(bytes);
    return true;
  } catch {
    return false;
  }
}
