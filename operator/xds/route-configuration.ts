import { create, toBinary } from '@bufbuild/protobuf';
import { RouteConfigurationSchema } from '../../generated/envoy/envoy/config/route/v3/route_pb.js';
import { adsSource } from './config-source.ts';
import { encodeResource } from './encoding.ts';
import { MAX_RESPONSE_BODY } from './http-route-answers.ts';
import { routeConfiguration, UNDELIVERED_HEADER } from './names.ts';
import { ROUTE_TYPE, type XdsResource } from './resource.ts';

/** The route configuration of a port, the same for everybody and for ever: its virtual hosts travel one by one (VHDS). */
export function encodeRouteConfiguration(port: number): XdsResource {
  const name = routeConfiguration(port);
  const message = create(RouteConfigurationSchema, {
    name,
    vhds: { configSource: adsSource() },
    validateClusters: false,
    ignorePortInHostMatching: true,
    responseHeadersToRemove: [UNDELIVERED_HEADER],
    // Envoy's own limit is 4 KiB, and it refuses the whole for one larger answer.
    maxDirectResponseBodySizeBytes: MAX_RESPONSE_BODY,
  });
  return encodeResource(ROUTE_TYPE, name, toBinary(RouteConfigurationSchema, message));
}
