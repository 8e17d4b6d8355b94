import { create } from '@bufbuild/protobuf';
import { isGlobal } from '../../api/rate-limit-policy.ts';
import { ApiVersion } from '../../generated/envoy/envoy/config/core/v3/config_source_pb.js';
import {
  RateLimit_XRateLimitHeadersRFCVersion,
  RateLimitSchema,
} from '../../generated/envoy/envoy/extensions/filters/http/ratelimit/v3/rate_limit_pb.js';
import type { HttpFilter } from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { HttpStatusSchema, StatusCode } from '../../generated/envoy/envoy/type/v3/http_status_pb.js';
import { XDS_CLUSTER } from '../../proxy/names.ts';
import { rateLimitDomain } from '../mesh/rate-limit-descriptor.ts';
import type { RateLimitRules } from '../mesh/rate-limits.ts';
import { milliseconds } from './encoding.ts';
import { buildHttpFilter } from './http-filter.ts';
import type { FilterContext } from './http-filters.ts';
import { buildRateLimitActions } from './rate-limit-actions.ts';
import { answerHeaders, answerStatus, percent, rateLimitStats } from './rate-limit-answer.ts';

/** How long a request waits for the operator's word, in ms; then it is as if there were none. */
const ANSWER_MS = 500;

/** Limits that all proxies of a policy count together: the operator is asked, by a filter for each policy. */
export function buildGlobalRateLimits({ rateLimits = [] }: FilterContext): HttpFilter[] {
  return rateLimits.flatMap((rules) => (rules.spec.limits?.some(isGlobal) === true ? [buildFilter(rules)] : []));
}

function buildFilter({ ref, spec }: RateLimitRules): HttpFilter {
  const { limits = [], response = {}, failureMode, dryRun = false } = spec;
  const showsHeaders = !dryRun && response.limitHeaders !== false;
  const config = create(RateLimitSchema, {
    domain: rateLimitDomain(ref),
    statPrefix: rateLimitStats(ref, dryRun),
    timeout: milliseconds(ANSWER_MS),
    failureModeDeny: failureMode === 'Closed' && !dryRun,
    statusOnError: create(HttpStatusSchema, { code: StatusCode.ServiceUnavailable }),
    rateLimitedAsResourceExhausted: true,
    rateLimitedStatus: answerStatus(response),
    responseHeadersToAdd: answerHeaders(response),
    // By their place in the whole policy, by which they are called.
    rateLimits: limits.flatMap((limit, index) => (isGlobal(limit) ? buildRateLimitActions(limit, index) : [])),
    enableXRatelimitHeaders: showsHeaders
      ? RateLimit_XRateLimitHeadersRFCVersion.DRAFT_VERSION_03
      : RateLimit_XRateLimitHeadersRFCVersion.OFF,
    disableXEnvoyRatelimitedHeader: true,
    filterEnabled: percent(100),
    filterEnforced: percent(dryRun ? 0 : 100),
    rateLimitService: {
      transportApiVersion: ApiVersion.V3,
      grpcService: { targetSpecifier: { case: 'envoyGrpc', value: { clusterName: XDS_CLUSTER } } },
    },
  });
  return buildHttpFilter('envoy.filters.http.ratelimit', RateLimitSchema, config);
}
