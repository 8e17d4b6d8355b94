import { create } from '@bufbuild/protobuf';
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_pb.js';
import { inboundCluster, UNDELIVERED_HEADER } from './names.ts';
import { buildRoute } from './virtual-hosts.ts';

/**
 * Everything that arrives for a port goes to the application there. Nothing is tried twice here: where the application takes no connection, the
 * calling proxy has other pods to try at once.
 */
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
        routes: [buildRoute([{ cluster, weight: 100 }])],
      },
    ],
  });
}
