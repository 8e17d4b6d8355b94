import { create } from '@bufbuild/protobuf';
import {
  type RetryPolicy,
  RetryPolicySchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_pb.js';
import { inboundCluster, UNDELIVERED_HEADER } from './names.ts';
import { buildRoute } from './virtual-hosts.ts';

/** Everything that arrives for a port goes to the application there. */
export function buildInboundRoutes(port: number): RouteConfiguration {
  const cluster = inboundCluster(port);
  return create(RouteConfigurationSchema, {
    name: cluster,
    validateClusters: false,
    // Only the proxy itself may say this, in answers of its own; the list covers what the application answers.
    responseHeadersToRemove: [UNDELIVERED_HEADER],
    virtualHosts: [
      {
        name: `inbound|http|${port}`,
        domains: ['*'],
        routes: [buildRoute([{ cluster, weight: 100 }], buildRetryPolicy())],
      },
    ],
  });
}

/** Requests that surely did not reach the application, as its connection went away first, are sent again on a new one. */
function buildRetryPolicy(): RetryPolicy {
  return create(RetryPolicySchema, { retryOn: 'reset-before-request,refused-stream', numRetries: 2 });
}
