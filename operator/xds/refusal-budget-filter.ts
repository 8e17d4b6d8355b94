import { create } from '@bufbuild/protobuf';
import type { AccessLogFilter } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { ApiVersion, ConfigSourceSchema } from '../../generated/envoy/envoy/config/core/v3/config_source_pb.js';
import { ProcessRateLimitFilterSchema } from '../../generated/envoy/envoy/extensions/access_loggers/filters/process_ratelimit/v3/process_ratelimit_pb.js';
import { REFUSAL_BUDGET, REFUSAL_BUDGET_PATH } from '../../proxy/refusal-budget.ts';
import { allOf, buildExtensionFilter } from './access-log-filters.ts';

/** The same in every filter, so it is encoded once. */
const BUDGET = buildBudget();

/** Of what a filter lets through, no more than the sidecar's budget is for; that is asked last, so that nothing else takes of it. */
export function withinBudget(filter: AccessLogFilter): AccessLogFilter {
  return allOf(filter, BUDGET);
}

function buildBudget(): AccessLogFilter {
  const configSource = create(ConfigSourceSchema, {
    configSourceSpecifier: { case: 'pathConfigSource', value: { path: REFUSAL_BUDGET_PATH } },
    resourceApiVersion: ApiVersion.V3,
  });
  const config = create(ProcessRateLimitFilterSchema, {
    dynamicConfig: { resourceName: REFUSAL_BUDGET, configSource },
  });
  return buildExtensionFilter('process_ratelimit', ProcessRateLimitFilterSchema, config);
}
