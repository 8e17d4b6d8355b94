import { create } from '@bufbuild/protobuf';
import {
  type AccessLogFilter,
  AccessLogFilterSchema,
  ComparisonFilter_Op,
} from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { allOf, anyOf, flagged, matching } from './access-log-filters.ts';
import type { Carrier } from './rbac.ts';
import type { RefusalSigns } from './refusal-causes.ts';

/** Envoy wants to know by which runtime key the bound could be changed. */
const STATUS_KEY = 'heddle.refusal_log.lowest_status';
const LOWEST_STATUS = 400;

/** Where Envoy says why, in CEL. */
const DETAILS = { http: 'response.code_details', tcp: 'connection.termination_details' } as const;

/** Of a certificate whose names are none of those that a port asks for. */
const WRONG_NAME = "connection.transport_failure_reason.contains('SAN matcher')";
/** Of a connection that leads to no cluster, or to one without endpoints. */
const NOWHERE = ['NC', 'UH'];

/** Lets a logger hear of what is refused for one cause. */
export function refusedBy({ details, early }: RefusalSigns, carrier: Carrier): AccessLogFilter {
  const matches = details.map((prefix) => `${DETAILS[carrier]}.startsWith('${prefix}')`);
  if (early === 'handshake') matches.push(WRONG_NAME);
  const expression = matches.join(' || ');
  if (carrier === 'http') return failed(expression);
  const nowhere = early === 'nowhere' ? [flagged(NOWHERE)] : [];
  const all = matches.length === 0 ? nowhere : [...nowhere, matching(expression)];
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  return anyOf(...all);
}

/** A request that went well costs a comparison, not an expression. */
function failed(expression: string): AccessLogFilter {
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
  return allOf(status, matching(expression));
}
