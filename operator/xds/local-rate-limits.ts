import { create } from '@bufbuild/protobuf';
import {
  isGlobal,
  limitName,
  type RateLimit,
  type RateLimitPolicySpec,
  type RateUnit,
  UNIT_SECONDS,
} from '../../api/rate-limit-policy.ts';
import {
  type LocalRateLimitDescriptor,
  LocalRateLimitDescriptorSchema,
  XRateLimitHeadersRFCVersion,
} from '../../generated/envoy/envoy/extensions/common/ratelimit/v3/ratelimit_pb.js';
import { LocalRateLimitSchema } from '../../generated/envoy/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js';
import type { HttpFilter } from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { type TokenBucket, TokenBucketSchema } from '../../generated/envoy/envoy/type/v3/token_bucket_pb.js';
import { countKey, LIMIT_KEY, MATCH_KEY, overrideValues } from '../mesh/rate-limit-descriptor.ts';
import type { RateLimitRules } from '../mesh/rate-limits.ts';
import { milliseconds } from './encoding.ts';
import { buildHttpFilter } from './http-filter.ts';
import type { FilterContext } from './http-filters.ts';
import { buildRateLimitActions, MATCHED } from './rate-limit-actions.ts';
import { answerHeaders, answerStatus, percent, rateLimitStats, TOO_MANY_REQUESTS } from './rate-limit-answer.ts';

/** Values of `countBy` that one limit has buckets for; of more, the one used longest ago gets a new one. */
const MAX_BUCKETS = 10_000;

/** Limits that a proxy counts for itself, a filter for each policy. */
export function buildLocalRateLimits({ rateLimits = [] }: FilterContext): HttpFilter[] {
  return rateLimits.flatMap((rules) => {
    const limits = rules.spec.limits ?? [];
    return limits.some((limit) => !isGlobal(limit)) ? [buildFilter(rules, limits)] : [];
  });
}

function buildFilter({ ref, spec }: RateLimitRules, limits: NonNullable<RateLimitPolicySpec['limits']>): HttpFilter {
  const { response = {}, dryRun = false } = spec;
  // By their place in the whole policy, by which they are called.
  const local = limits.map((limit, index) => ({ limit, index })).filter(({ limit }) => !isGlobal(limit));
  const showsHeaders = !dryRun && response.limitHeaders !== false;
  const config = create(LocalRateLimitSchema, {
    statPrefix: rateLimitStats(ref, dryRun),
    status: answerStatus(response),
    filterEnabled: percent(100),
    filterEnforced: percent(dryRun ? 0 : 100),
    responseHeadersToAdd: answerHeaders({ ...response, headers: { ...retryAfter(spec), ...response.headers } }),
    rateLimits: local.flatMap(({ limit, index }) => buildRateLimitActions(limit, index)),
    descriptors: local.flatMap(({ limit, index }) => buildDescriptors(limit, index)),
    enableXRatelimitHeaders: showsHeaders
      ? XRateLimitHeadersRFCVersion.DRAFT_VERSION_03
      : XRateLimitHeadersRFCVersion.OFF,
    enableRetryAfterHeader: true,
    rateLimitedAsResourceExhausted: true,
    maxDynamicDescriptors: MAX_BUCKETS,
  });
  return buildHttpFilter('envoy.filters.http.local_ratelimit', LocalRateLimitSchema, config);
}

/** With other statuses than 429: when the slowest of the buckets has a request more at the latest. */
function retryAfter({ limits = [], response = {} }: RateLimitPolicySpec): Record<string, string> {
  const { status = TOO_MANY_REQUESTS } = response;
  if (status === TOO_MANY_REQUESTS) return {};
  const seconds = limits
    .filter((limit) => !isGlobal(limit))
    .map(({ requests, unit }) => Math.ceil(UNIT_SECONDS[unit] / requests));
  return { 'retry-after': String(Math.max(...seconds)) };
}

/** A bucket for each override, and one for each other combination of values. */
function buildDescriptors(limit: RateLimit, index: number): LocalRateLimitDescriptor[] {
  const { countBy = [], overrides = [], requests, unit, burst = requests } = limit;
  const first = [
    { key: LIMIT_KEY, value: limitName(limit, index) },
    ...(limit.match ?? []).map(() => ({ key: MATCH_KEY, value: MATCHED })),
  ];
  const descriptor = (values: readonly string[], tokenBucket: TokenBucket) =>
    create(LocalRateLimitDescriptorSchema, {
      entries: [...first, ...values.map((value, place) => ({ key: countKey(place), value }))],
      tokenBucket,
    });
  const exact = overrides.map((override) =>
    descriptor(overrideValues(limit, override.values), bucket(override.requests, override.unit ?? unit)),
  );
  // An empty value stands for any.
  const any = countBy.map(() => '');
  return [...exact, descriptor(any, bucket(requests, unit, burst))];
}

function bucket(requests: number, unit: RateUnit, burst = requests): TokenBucket {
  const fillInterval = milliseconds(UNIT_SECONDS[unit] * 1000);
  return create(TokenBucketSchema, { maxTokens: burst, tokensPerFill: requests, fillInterval });
}
