import { create, toBinary } from '@bufbuild/protobuf';
import {
  type RateLimitResponse,
  RateLimitResponse_Code,
  RateLimitResponse_RateLimit_Unit,
  RateLimitResponseSchema,
} from '../../generated/envoy/envoy/service/ratelimit/v3/rls_pb.js';
import type { RateLimitRules } from '../mesh/rate-limits.ts';
import type { Counters, Hit, Tally } from './counters.ts';
import { LimitLookup } from './limit-lookup.ts';
import { decodeLimitRequest, type LimitRequest } from './limit-request.ts';

/** Method by which proxies ask whether a request is within global limits. */
export const RATE_LIMIT_PATH = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';

const UNITS = {
  Second: RateLimitResponse_RateLimit_Unit.SECOND,
  Minute: RateLimitResponse_RateLimit_Unit.MINUTE,
  Hour: RateLimitResponse_RateLimit_Unit.HOUR,
  Day: RateLimitResponse_RateLimit_Unit.DAY,
} as const;

/** Finds the RateLimitPolicy of a domain among those that are about a pod; undefined: none is. */
export type RulesSource = (podUid: string, domain: string) => RateLimitRules | undefined;

/**
 * Envoy's RateLimitService: counts what a proxy asks about, against the limits of its policy. A proxy is heard on policies that are about its pod alone, so
 * that none uses up what is another's; of others, and of limits that are gone, everything is within.
 */
export class RateLimitService {
  readonly #counters: Counters;
  readonly #rules: RulesSource;
  /** Policies change seldom, and are the same object meanwhile. */
  readonly #lookups = new WeakMap<RateLimitRules, LimitLookup>();

  constructor(counters: Counters, rules: RulesSource) {
    this.#counters = counters;
    this.#rules = rules;
  }

  /**
   * Answers an encoded RateLimitRequest of the proxy of a pod.
   * @throws {Error} when the bytes are malformed, or counts can't be asked
   */
  async answer(podUid: string, bytes: Uint8Array): Promise<Uint8Array> {
    const request = decodeLimitRequest(bytes);
    const rules = this.#rules(podUid, request.domain);
    const hits = rules === undefined ? [] : this.#hitsOf(rules, request);
    const tallies = hits.length === 0 ? [] : await this.#counters.count(request.domain, hits);
    return toBinary(RateLimitResponseSchema, responseOf(hits, tallies, rules?.spec.dryRun === true));
  }

  #hitsOf(rules: RateLimitRules, { descriptors, hits }: LimitRequest): Hit[] {
    const lookup = this.#lookups.get(rules) ?? new LimitLookup(rules);
    this.#lookups.set(rules, lookup);
    return descriptors.flatMap((one) => lookup.find(one.entries, one.hits ?? hits) ?? []);
  }
}

function responseOf(hits: readonly Hit[], tallies: readonly Tally[], dryRun: boolean): RateLimitResponse {
  const { OK, OVER_LIMIT } = RateLimitResponse_Code;
  const over = tallies.filter((tally) => tally.over).map(({ resetMs }) => secondsOf(resetMs));
  return create(RateLimitResponseSchema, {
    overallCode: over.length > 0 ? OVER_LIMIT : OK,
    // Envoy would say it with status 429 alone. What would be refused in dry run passes, and its caller is told nothing.
    responseHeadersToAdd: over.length > 0 && !dryRun ? [{ key: 'retry-after', value: String(Math.max(...over)) }] : [],
    statuses: tallies.map(({ over: isOver, remaining, resetMs }, index) => {
      const { requests = 0, unit = 'Second' } = hits[index] ?? {};
      return {
        code: isOver ? OVER_LIMIT : OK,
        currentLimit: { requestsPerUnit: requests, unit: UNITS[unit] },
        limitRemaining: remaining,
        durationUntilReset: { seconds: BigInt(secondsOf(resetMs)) },
      };
    }),
  });
}

/** Whole seconds, and never 0: who comes back then must not come too early. */
function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
