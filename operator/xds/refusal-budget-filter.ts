import { create } from '@bufbuild/protobuf';
import {
  type AccessLogFilter,
  AccessLogFilterSchema,
} from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { ApiVersion, ConfigSourceSchema } from '../../generated/envoy/envoy/config/core/v3/config_source_pb.js';
import { ProcessRateLimitFilterSchema } from '../../generated/envoy/envoy/extensions/access_loggers/filters/process_ratelimit/v3/process_ratelimit_pb.js';
import { REFUSAL_BUDGET, REFUSAL_BUDGET_PATH } from '../../proxy/refusal-budget.ts';
import { pack } from './encoding.ts';

/** The same in every filter, so it is encoded once. */
const BUDGET = buildBudget();

/** Of what a filter lets through, no more than the sidecar's budget is for; that is asked last, so that nothing else takes of it. */
export function withinBudget(filter: AccessLogFilter): AccessLogFilter {
  return create(AccessLogFilterSchema, {
    filterSpecifier: { case: 'andFilter', value: { filters: [filter, BUDGET] } },
  });
}

function buildBudget(): AccessLogFilter {
  const configSource = create(ConfigSourceSchema, {
    configSourceSpecifier: { case: 'pathConfigSource', value: { path: REFUSAL_BUDGET_PATH } },
    resourceApiVersion: ApiVersion.V3,
  });
  const config = create(ProcessRateLimitFilterSchema, {
    dynamicConfig: { resourceName: REFUSAL_BUDGET, configSource },
  });
  return create(AccessLogFilterSchema, {
    filterSpecifier: {
      case: 'extensionFilter',
      value: {
        name: 'envoy.access_loggers.extension_filters.process_ratelimit',
        configType: { case: 'typedConfig', value: pack(ProcessRateLimitFilterSchema, config) },
      },
    },
  });
}
