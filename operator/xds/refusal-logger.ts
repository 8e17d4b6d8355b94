import type { JsonObject } from '@bufbuild/protobuf';
import type { AccessLog } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { buildJsonLines } from './access-log.ts';
import type { Carrier } from './rbac.ts';
import { withinBudget } from './refusal-budget-filter.ts';
import type { RefusalCause } from './refusal-causes.ts';
import { refusedBy } from './refusal-filter.ts';

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
/** What a handshake was refused for is no detail to Envoy. */
const OF_CONNECTIONS: JsonObject = { ...COMMON, transport_failure: '%DOWNSTREAM_TRANSPORT_FAILURE_REASON%' };

/** Where Envoy says why. */
const DETAILS = { http: '%RESPONSE_CODE_DETAILS%', tcp: '%CONNECTION_TERMINATION_DETAILS%' } as const;

/** What a line says of a request, or of a connection. */
export function fieldsOf(carrier: Carrier): JsonObject {
  return carrier === 'http' ? OF_REQUESTS : OF_CONNECTIONS;
}

/** What Envoy says of why. */
export function detailsOf(carrier: Carrier): string {
  return DETAILS[carrier];
}

/**
 * Write a line of JSON to the sidecar's output for what policies refuse, one logger for each cause; of all else nothing is written. `decided_by` names the
 * policy, or those of which one did.
 * @param isBounded no more lines than there is a budget for, of all causes and ports together
 */
export function buildRefusalLoggers(
  causes: readonly RefusalCause[],
  carrier: Carrier,
  isBounded: boolean,
): AccessLog[] {
  return causes.map(({ decidedBy, signs }) => {
    const fields = { ...fieldsOf(carrier), decided_by: decidedBy, details: detailsOf(carrier) };
    const refused = refusedBy(signs, carrier);
    return buildJsonLines(fields, isBounded ? withinBudget(refused) : refused);
  });
}
