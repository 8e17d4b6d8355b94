import type { Client } from './clients.ts';
import { routeConfigurationPort } from './names.ts';
import type { Outbound } from './outbound.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
  type XdsResource,
} from './resource.ts';

/** A resource of the outbound side by name. */
export function findOutbound(
  outbound: Outbound,
  client: Client,
  typeUrl: string,
  name: string,
): XdsResource | undefined {
  switch (typeUrl) {
    case CLUSTER_TYPE:
      return outbound.cluster(name, client);
    case ENDPOINT_TYPE:
      return outbound.assignment(name, client);
    case LISTENER_TYPE:
      return outbound.listeners.get(name, client);
    case ROUTE_TYPE: {
      const port = routeConfigurationPort(name);
      return port === undefined ? undefined : outbound.routes.configuration(port);
    }
    case VIRTUAL_HOST_TYPE:
      return outbound.routes.host(name, client);
    default:
      return undefined;
  }
}
