import { create } from '@bufbuild/protobuf';
import type { Filter } from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { RBACSchema as HttpRbacSchema } from '../../generated/envoy/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import type { HttpFilter } from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { RBACSchema as NetworkRbacSchema } from '../../generated/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import { buildHttpFilter } from './http-filter.ts';
import type { FilterContext } from './http-filters.ts';
import { buildNetworkFilter } from './network-filter.ts';
import type { Authorization } from './rbac.ts';

/** Their names are also those under which they take down, in dynamic metadata, what they found. */
export const HTTP_RBAC = 'envoy.filters.http.rbac';
export const NETWORK_RBAC = 'envoy.filters.network.rbac';

/** Answers 403 to requests that may not be made. Envoy's response code details name the rule that decided. */
export function buildHttpRbac({ authorization = [] }: FilterContext): HttpFilter[] {
  return authorization.map((one) =>
    buildHttpFilter(HTTP_RBAC, HttpRbacSchema, create(HttpRbacSchema, settingsOf(one))),
  );
}

/** Closes connections that may not be made. */
export function buildNetworkRbac(authorization: readonly Authorization[], statPrefix: string): Filter[] {
  return authorization.map((one) => {
    const config = create(NetworkRbacSchema, { ...settingsOf(one), statPrefix: `${statPrefix}.` });
    return buildNetworkFilter(NETWORK_RBAC, NetworkRbacSchema, config);
  });
}

function settingsOf({ rules, dryRun }: Authorization) {
  if (dryRun === undefined) return { rules };
  return { shadowRules: rules, shadowRulesStatPrefix: `${dryRun}.` };
}
