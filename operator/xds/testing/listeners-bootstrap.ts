import type { JsonObject, JsonValue, Registry } from '@bufbuild/protobuf';
import { buildRuntime } from '../../../proxy/runtime.ts';
import { translateBuiltinClusters } from '../local-clusters.ts';
import type { XdsResource } from '../resource.ts';
import { asObject, resourceJson } from './resource-json.ts';

export interface ListenersBootstrap {
  readonly listeners: readonly XdsResource[];
  /** Port of loopback that each cluster leads to; clusters that every proxy has are there besides. */
  readonly clusters: Readonly<Record<string, number>>;
  /** Cluster of all HTTP. */
  readonly http: string;
  /**
   * Port of loopback where each listener that is reached by redirection is to listen, by its name. Connections to it say first, by the PROXY
   * protocol, where they want to: so a test needs no redirection, and the listener sees what it sees after one.
   */
  readonly entrances?: Readonly<Record<string, number>>;
  readonly adminPort?: number;
}

/** A static bootstrap of Envoy with outbound listeners as they are; only the routes of HTTP take the place of RDS. */
export function listenersBootstrap(input: ListenersBootstrap, registry: Registry): JsonObject {
  const { listeners, clusters, http, entrances = {}, adminPort } = input;
  const json = listeners.map((listener) => asObject(inlineRoutes(resourceJson(listener, registry), http)));
  return {
    // The tap filter needs one.
    admin: { address: loopback(adminPort ?? 0) },
    ...buildRuntime(),
    static_resources: {
      listeners: json.map((listener) => ({ ...listener, ...entranceOf(listener, entrances[String(listener.name)]) })),
      clusters: [
        ...translateBuiltinClusters().map((cluster) => resourceJson(cluster, registry)),
        ...Object.entries(clusters).map(([name, port]) => cluster(name, port)),
      ],
    },
  };
}

function inlineRoutes(value: JsonValue, http: string): JsonValue {
  if (Array.isArray(value)) return value.map((one) => inlineRoutes(one, http));
  if (typeof value !== 'object' || value === null) return value;
  const { rds, ...rest } = value;
  const object = Object.fromEntries(
    Object.entries(rest).map(([key, child]) => [key, inlineRoutes(child ?? null, http)]),
  );
  if (rds === undefined) return object;
  const routes = [{ match: { prefix: '/' }, route: { cluster: http } }];
  const virtualHosts = [{ name: 'all', domains: ['*'], routes }];
  return { ...object, route_config: { name: 'all', validate_clusters: false, virtual_hosts: virtualHosts } };
}

function entranceOf({ listener_filters }: JsonObject, port: number | undefined): JsonObject {
  if (port === undefined) return {};
  const typedConfig = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol',
  };
  const filter = { name: 'envoy.filters.listener.proxy_protocol', typed_config: typedConfig };
  const others = Array.isArray(listener_filters) ? listener_filters.map(asObject) : [];
  return {
    address: loopback(port),
    bind_to_port: true,
    // It would ask the kernel where the connection was made to, as the listener filter of that name does.
    use_original_dst: false,
    listener_filters: [filter, ...others.filter(({ name }) => name !== 'envoy.filters.listener.original_dst')],
  };
}

function cluster(name: string, port: number): JsonValue {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: loopback(port) } }] }];
  return { name, type: 'STATIC', connect_timeout: '2s', load_assignment: { cluster_name: name, endpoints } };
}

function loopback(port: number): JsonObject {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
