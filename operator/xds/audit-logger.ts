import { create } from '@bufbuild/protobuf';
import {
  type AccessLog,
  type AccessLogFilter,
  AccessLogFilterSchema,
} from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { listNames } from '../mesh/name-list.ts';
import { buildJsonLines } from './access-log.ts';
import { type InboundShape, isAbout } from './inbound-shape.ts';
import { actionOf, type Carrier } from './rbac.ts';
import { detailsOf, fieldsOf } from './refusal-logger.ts';

/** Policies that a line names; of more it says how many. */
const NAMED = 5;

/** Which AUDIT policies a port has, in words; undefined: none. @param port undefined: a port that nobody declared */
export function auditors(
  { authorization }: Pick<InboundShape, 'authorization'>,
  port: number | undefined,
  carrier: Carrier,
): string | undefined {
  const names = authorization
    .filter((one) => isAbout(one, port) && !one.rules.dryRun && actionOf(one, port, carrier) === 'AUDIT')
    .map(({ rules: { ref } }) => `${ref.namespace}/${ref.name}`);
  return names.length === 0 ? undefined : `AuthorizationPolicy AUDIT ${listNames(names, NAMED)}`;
}

/**
 * Writes a line of JSON to the sidecar's output for each request or connection that one of the AUDIT policies matches, whatever becomes of it. There is
 * no bound: who asks for an audit wants all of it.
 * @param auditedBy see `auditors`
 */
export function buildAuditLogger(auditedBy: string, carrier: Carrier): AccessLog {
  const fields = { ...fieldsOf(carrier), audited_by: auditedBy, details: detailsOf(carrier) };
  return buildJsonLines(fields, isMarked());
}

/** What Envoy's filter marks where a rule of the action LOG matches; else there is a mark that says no, or none. */
function isMarked(): AccessLogFilter {
  return create(AccessLogFilterSchema, {
    filterSpecifier: {
      case: 'metadataFilter',
      value: {
        matcher: {
          filter: 'envoy.common',
          path: [{ segment: { case: 'key', value: 'access_log_hint' } }],
          value: { matchPattern: { case: 'boolMatch', value: true } },
        },
        matchIfKeyNotFound: false,
      },
    },
  });
}
