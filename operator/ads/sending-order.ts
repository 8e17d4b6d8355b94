import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE } from '../xds/resource.ts';

/** Types that say where requests go, in the order in which they are sent. */
export const ROUTING = [ROUTE_TYPE, VIRTUAL_HOST_TYPE, LISTENER_TYPE];

/**
 * The order of sending. Make before break: clusters and their endpoints first, then what routes to them, and removals of
 * clusters when nothing routes there any more. Listeners come after the routes that Envoy has asked for: while one that went is
 * draining, Envoy keeps its routes, and gives them as they are to a listener that comes again.
 */
export const ORDERED = [CLUSTER_TYPE, ENDPOINT_TYPE, ...ROUTING];
