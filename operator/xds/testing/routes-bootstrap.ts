import { createRegistry, type JsonValue, toJson } from '@bufbuild/protobuf';
import type { Route } from '../../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { CorsSchema } from '../../../generated/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import { HTTPFaultSchema } from '../../../generated/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { RouterSchema } from '../../../generated/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import { ConfigSchema as FilterStateSchema } from '../../../generated/envoy/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js';
import { TapSchema } from '../../../generated/envoy/envoy/extensions/filters/http/tap/v3/tap_pb.js';
import { HttpFilterSchema } from '../../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { buildRuntime } from '../../../proxy/runtime.ts';
import { buildHttpFilters } from '../http-filters.ts';
import { MAX_RESPONSE_BODY } from '../http-route-answers.ts';
import { routeJson } from './http-rule-fixture.ts';

const MANAGER = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

export interface RoutesBootstrap {
  /** Of loopback, on which Envoy takes the requests. */
  readonly port: number;
  readonly routes: readonly Route[];
  /** Ports of loopback that make up each cluster; with more than one, requests choose by their hash. */
  readonly clusters: Readonly<Record<string, readonly number[]>>;
  readonly adminPort?: number;
}

/** A static bootstrap of Envoy for one listener with these routes, behind the filters that requests out of a pod pass. */
export function routesBootstrap({ port, routes, clusters, adminPort }: RoutesBootstrap): JsonValue {
  const registry = createRegistry(HTTPFaultSchema, CorsSchema, FilterStateSchema, RouterSchema, TapSchema);
  const filters = buildHttpFilters({ direction: 'outbound' });
  const manager = {
    '@type': MANAGER,
    stat_prefix: 'routes',
    use_remote_address: false,
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    http_filters: filters.map((filter) => toJson(HttpFilterSchema, filter, { registry, useProtoFieldName: true })),
    route_config: {
      name: 'routes',
      validate_clusters: false,
      max_direct_response_body_size_bytes: MAX_RESPONSE_BODY,
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: routes.map(routeJson) }],
    },
  };
  return {
    // The tap filter needs one.
    admin: { address: loopback(adminPort ?? 0) },
    ...buildRuntime(),
    static_resources: {
      listeners: [
        {
          name: 'routes',
          address: loopback(port),
          filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
        },
      ],
      clusters: Object.entries(clusters).map(([name, ports]) => cluster(name, ports)),
    },
  };
}

function cluster(name: string, ports: readonly number[]): JsonValue {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '2s',
    // As our clusters have it: by Envoy's own limit of three at a time, retries would be left out.
    circuit_breakers: { thresholds: [{ max_retries: 1_000_000 }] },
    ...(ports.length > 1 ? { lb_policy: 'RING_HASH' } : {}),
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: loopback(port) } })) }],
    },
  };
}

function loopback(port: number): JsonValue {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
