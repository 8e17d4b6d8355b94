import { fromBinary } from '@bufbuild/protobuf';
import { ClusterSchema } from '../../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { ListenerSchema } from '../../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { VirtualHostSchema } from '../../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { HttpConnectionManagerSchema } from '../../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { ResourceSchema } from '../../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';

/** The route configuration of a virtual host, by its name. */
export const routeOf = (host: string): string => host.slice(0, host.lastIndexOf('/'));

/** Domains of an encoded virtual host. */
export const domainsIn = (bytes: Uint8Array): readonly string[] => fromBinary(VirtualHostSchema, bytes).domains;

/** Domains of a virtual host in an encoded `Resource`. */
export function domainsOfResource(bytes: Uint8Array): readonly string[] {
  return domainsIn(fromBinary(ResourceSchema, bytes).resource?.value ?? new Uint8Array());
}

/** Whether an encoded cluster has its endpoints by EDS. */
export const isEds = (bytes: Uint8Array): boolean => fromBinary(ClusterSchema, bytes).edsClusterConfig !== undefined;

/** Names of the route configurations of an encoded listener. */
export function routesOf(bytes: Uint8Array): string[] {
  const { filterChains, defaultFilterChain } = fromBinary(ListenerSchema, bytes);
  const names: string[] = [];
  for (const { filters } of [...filterChains, ...(defaultFilterChain === undefined ? [] : [defaultFilterChain])]) {
    for (const { configType } of filters) {
      if (configType.case !== 'typedConfig' || !configType.value.typeUrl.endsWith('HttpConnectionManager')) continue;
      const { routeSpecifier } = fromBinary(HttpConnectionManagerSchema, configType.value.value);
      if (routeSpecifier.case === 'rds') names.push(routeSpecifier.value.routeConfigName);
    }
  }
  return names;
}

/** Envoy refuses a route configuration that has a domain twice. @throws Error */
export function checkDomains(hosts: Iterable<string>, domainsOf: ReadonlyMap<string, readonly string[]>): void {
  const seen = new Set<string>();
  for (const name of hosts) {
    for (const domain of domainsOf.get(name) ?? []) {
      const key = `${routeOf(name)}/${domain}`;
      if (seen.has(key)) throw new Error(`${key} is there twice`);
      seen.add(key);
    }
  }
}
