import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { CorsSchema } from '../../generated/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import { HTTPFaultSchema } from '../../generated/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { OnDemandSchema } from '../../generated/envoy/envoy/extensions/filters/http/on_demand/v3/on_demand_pb.js';
import { RouterSchema } from '../../generated/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import { ConfigSchema as FilterStateSchema } from '../../generated/envoy/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { buildAlpnState } from './alpn-filter.ts';
import { adsSource } from './config-source.ts';
import { milliseconds, pack } from './encoding.ts';

/** On which side of a connection a filter chain stands. */
export type Direction = 'outbound' | 'inbound';

/** Names by which routes configure filters. */
export const FAULT_FILTER = 'envoy.filters.http.fault';
export const CORS_FILTER = 'envoy.filters.http.cors';

type FilterBuilder = (direction: Direction, onDemand: boolean) => HttpFilter | undefined;

/**
 * HTTP filters in the order in which requests pass them. This is the one place that says so. What waits for a cluster is first, so that no filter acts
 * on a request twice whatever becomes of it. A fault comes before everything that could answer, as in Istio. The router is last: it ends the chain.
 */
const FILTERS: readonly FilterBuilder[] = [buildOnDemand, buildFault, buildCors, buildAlpn, buildRouter];

/** How long a request or a connection waits for a cluster that the proxy does not have yet, in ms; it is answered 503 then, or closed. */
export const CLUSTER_WAIT_MS = 5000;

/** @param onDemand clusters are asked for when a request first goes there */
export function buildHttpFilters(direction: Direction, onDemand = false): HttpFilter[] {
  return FILTERS.map((build) => build(direction, onDemand)).filter((filter) => filter !== undefined);
}

/** Holds a request for a cluster that the proxy does not have, and asks for that (ODCDS). */
function buildOnDemand(_: Direction, onDemand: boolean): HttpFilter | undefined {
  if (!onDemand) return undefined;
  const odcds = { source: adsSource(), timeout: milliseconds(CLUSTER_WAIT_MS) };
  return buildFilter('envoy.filters.http.on_demand', OnDemandSchema, create(OnDemandSchema, { odcds }));
}

/** Injects what a route says, by `typed_per_filter_config`; else nothing. */
function buildFault(direction: Direction): HttpFilter | undefined {
  return direction === 'outbound' ? buildFilter(FAULT_FILTER, HTTPFaultSchema) : undefined;
}

/** Answers preflights as a route says, by `typed_per_filter_config`; else none. */
function buildCors(direction: Direction): HttpFilter | undefined {
  return direction === 'outbound' ? buildFilter(CORS_FILTER, CorsSchema) : undefined;
}

/** After all that could still choose another route. */
function buildAlpn(direction: Direction): HttpFilter | undefined {
  if (direction === 'inbound') return undefined;
  return buildFilter('envoy.filters.http.set_filter_state', FilterStateSchema, buildAlpnState());
}

/** Without Envoy's own headers: applications never asked for them. */
function buildRouter(): HttpFilter {
  return buildFilter('envoy.filters.http.router', RouterSchema, create(RouterSchema, { suppressEnvoyHeaders: true }));
}

function buildFilter<Desc extends DescMessage>(name: string, schema: Desc, config?: MessageShape<Desc>): HttpFilter {
  const value = pack(schema, config ?? create(schema));
  return create(HttpFilterSchema, { name, configType: { case: 'typedConfig', value } });
}
