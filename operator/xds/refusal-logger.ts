import { create, type JsonObject } from '@bufbuild/protobuf';
import {
  type AccessLog,
  type AccessLogFilter,
  AccessLogFilterSchema,
  AccessLogSchema,
  ComparisonFilter_Op,
} from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { ExpressionFilterSchema } from '../../generated/envoy/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js';
import { StdoutAccessLogSchema } from '../../generated/envoy/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import { pack } from './encoding.ts';
import type { Carrier } from './rbac.ts';
import type { RefusalCause } from './refusal-causes.ts';

/** Envoy wants to know by which runtime key the bound could be changed. */
const STATUS_KEY = 'heddle.refusal_log.lowest_status';
const LOWEST_STATUS = 400;

const COMMON: JsonObject = {
  start_time: '%START_TIME%',
  source: '%DOWNSTREAM_REMOTE_ADDRESS%',
  source_principal: '%DOWNSTREAM_PEER_URI_SAN%',
  destination: '%DOWNSTREAM_LOCAL_ADDRESS%',
};
const OF_REQUESTS: JsonObject = {
  ...COMMON,
  method: '%REQ(:METHOD)%',
  authority: '%REQ(:AUTHORITY)%',
  path: '%PATH(NQ)%',
  response_code: '%RESPONSE_CODE%',
  response_flags: '%RESPONSE_FLAGS%',
  request_id: '%REQ(X-REQUEST-ID)%',
};

/** Where Envoy says why: as a field of a line, and as an expression of CEL. */
const DETAILS = {
  http: { text: '%RESPONSE_CODE_DETAILS%', expression: 'response.code_details' },
  tcp: { text: '%CONNECTION_TERMINATION_DETAILS%', expression: 'connection.termination_details' },
} as const;

/**
 * Write a line of JSON to the sidecar's output for what policies refuse, one logger for each cause; of all else nothing is written. `decided_by` names the
 * policy, or those of which one did.
 */
export function buildRefusalLoggers(causes: readonly RefusalCause[], carrier: Carrier): AccessLog[] {
  const { text, expression } = DETAILS[carrier];
  return causes.map(({ decidedBy, details }) => {
    const fields = { ...(carrier === 'http' ? OF_REQUESTS : COMMON), decided_by: decidedBy, details: text };
    const config = create(StdoutAccessLogSchema, {
      accessLogFormat: { case: 'logFormat', value: { format: { case: 'jsonFormat', value: fields } } },
    });
    const matches = details.map((prefix) => `${expression}.startsWith('${prefix}')`).join(' || ');
    return create(AccessLogSchema, {
      name: 'envoy.access_loggers.stdout',
      filter: carrier === 'http' ? refused(matches) : matching(matches),
      configType: { case: 'typedConfig', value: pack(StdoutAccessLogSchema, config) },
    });
  });
}

/** A request that went well costs a comparison, not an expression. */
function refused(expression: string): AccessLogFilter {
  const status = create(AccessLogFilterSchema, {
    filterSpecifier: {
      case: 'statusCodeFilter',
      value: {
        comparison: {
          op: ComparisonFilter_Op.GE,
          value: { defaultValue: LOWEST_STATUS, runtimeKey: STATUS_KEY },
        },
      },
    },
  });
  return create(AccessLogFilterSchema, {
    filterSpecifier: { case: 'andFilter', value: { filters: [status, matching(expression)] } },
  });
}

function matching(expression: string): AccessLogFilter {
  const value = pack(ExpressionFilterSchema, create(ExpressionFilterSchema, { expression }));
  return create(AccessLogFilterSchema, {
    filterSpecifier: {
      case: 'extensionFilter',
      value: {
        name: 'envoy.access_loggers.extension_filters.cel',
        configType: { case: 'typedConfig', value },
      },
    },
  });
}
