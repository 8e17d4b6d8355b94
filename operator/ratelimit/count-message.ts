import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  RateLimitRequestSchema,
  RateLimitResponse_Code,
  RateLimitResponseSchema,
} from '../../generated/envoy/envoy/service/ratelimit/v3/rls_pb.js';
import { RateLimitUnit } from '../../generated/envoy/envoy/type/v3/ratelimit_unit_pb.js';
import type { Hit, Tally } from './counters.ts';

/**
 * What replicas ask each other, in the messages of Envoy's protocol: there a limit goes along with what is counted, so that whoever counts need not know
 * the policy, which may have reached the one replica before the other.
 */

const UNITS = {
  Second: RateLimitUnit.SECOND,
  Minute: RateLimitUnit.MINUTE,
  Hour: RateLimitUnit.HOUR,
  Day: RateLimitUnit.DAY,
} as const;
const NAMES = new Map(Object.entries(UNITS).map(([name, unit]) => [unit as RateLimitUnit, name as Hit['unit']]));
const [KEY, OVERFLOW] = ['key', 'overflow'];

/** Hits of a domain. */
export interface Question {
  readonly domain: string;
  readonly hits: readonly Hit[];
}

export function encodeQuestion({ domain, hits }: Question): Uint8Array {
  const descriptors = hits.map(({ key, overflow, hits: addend, requests, unit }) => ({
    entries: [
      { key: KEY, value: key },
      { key: OVERFLOW, value: overflow },
    ],
    limit: { requestsPerUnit: requests, unit: UNITS[unit] },
    hitsAddend: BigInt(addend),
  }));
  return toBinary(RateLimitRequestSchema, create(RateLimitRequestSchema, { domain, descriptors }));
}

/** @throws {Error} when the bytes are no such message */
export function decodeQuestion(bytes: Uint8Array): Question {
  const { domain, descriptors } = fromBinary(RateLimitRequestSchema, bytes);
  const hits = descriptors.map(({ entries, limit, hitsAddend }) => {
    const unit = NAMES.get(limit?.unit ?? RateLimitUnit.UNKNOWN);
    const [key, overflow] = [KEY, OVERFLOW].map((name) => entries.find((entry) => entry.key === name)?.value);
    if (unit === undefined || limit === undefined || key === undefined || overflow === undefined) {
      throw new Error('a hit has no key, or no limit');
    }
    return { key, overflow, hits: Number(hitsAddend ?? 1), requests: limit.requestsPerUnit, unit };
  });
  return { domain, hits };
}

export function encodeTallies(tallies: readonly Tally[]): Uint8Array {
  const { OK, OVER_LIMIT } = RateLimitResponse_Code;
  const statuses = tallies.map(({ over, remaining, resetMs }) => ({
    code: over ? OVER_LIMIT : OK,
    limitRemaining: remaining,
    durationUntilReset: { seconds: BigInt(Math.trunc(resetMs / 1000)), nanos: Math.trunc((resetMs % 1000) * 1e6) },
  }));
  return toBinary(RateLimitResponseSchema, create(RateLimitResponseSchema, { statuses }));
}

/** @throws {Error} when the bytes are no such message */
export function decodeTallies(bytes: Uint8Array): Tally[] {
  return fromBinary(RateLimitResponseSchema, bytes).statuses.map(({ code, limitRemaining, durationUntilReset }) => ({
    over: code === RateLimitResponse_Code.OVER_LIMIT,
    remaining: limitRemaining,
    resetMs: Number(durationUntilReset?.seconds ?? 0n) * 1000 + (durationUntilReset?.nanos ?? 0) / 1e6,
  }));
}
