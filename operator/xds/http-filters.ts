import { create } from '@bufbuild/protobuf';
import { CorsSchema } from '../../generated/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import { HTTPFaultSchema } from '../../generated/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { OnDemandSchema } from '../../generated/envoy/envoy/extensions/filters/http/on_demand/v3/on_demand_pb.js';
import { RouterSchema } from '../../generated/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import { ConfigSchema as FilterStateSchema } from '../../generated/envoy/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js';
import type { HttpFilter } from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { RateLimitRules } from '../mesh/rate-limits.ts';
import { buildAlpnState } from './alpn-filter.ts';
import { adsSource } from './config-source.ts';
import { milliseconds } from './encoding.ts';
import type { Question } from './external-authorization.ts';
import { buildHttpQuestions } from './external-authorization-filters.ts';
import { buildGlobalRateLimits } from './global-rate-limits.ts';
import { buildHttpBandwidth } from './http-bandwidth.ts';
import { buildHttpFilter } from './http-filter.ts';
import { buildJwtFilters } from './jwt-filters.ts';
import type { TokenProvider } from './jwt-providers.ts';
import { buildLimitHeaders } from './limit-headers.ts';
import { buildLocalRateLimits } from './local-rate-limits.ts';
import type { Authorization } from './rbac.ts';
import { buildHttpRbac } from './rbac-filters.ts';
import { buildTap } from './tap-filter.ts';

/** On which side of a connection a filter chain stands. */
export type Direction = 'outbound' | 'inbound';

/** Names by which routes configure filters. */
export const FAULT_FILTER = 'envoy.filters.http.fault';
export const CORS_FILTER = 'envoy.filters.http.cors';

/** What the filters of a chain depend on. */
export interface FilterContext {
  readonly direction: Direction;
  /** Clusters are asked for when a request first goes there. */
  readonly onDemand?: boolean;
  /** Who may call, and what. */
  readonly authorization?: readonly Authorization[];
  /** Who is asked whether they may. */
  readonly questions?: readonly Question[];
  /** Which tokens of end users are valid. */
  readonly tokens?: readonly TokenProvider[];
  /** How much is taken. */
  readonly rateLimits?: readonly RateLimitRules[];
}

type FilterBuilder = (context: FilterContext) => readonly HttpFilter[];

/**
 * HTTP filters in the order in which requests pass them. This is the one place that says so. What waits for a cluster is first, so that no filter acts
 * on a request twice whatever becomes of it. A fault comes before everything that could answer, as in Istio. Who may call is asked before anything is
 * done with the request, and before that who the end user is; first of all are those whom policies ask, who may give a request its token (Istio). What may
 * not be made does not count against limits, and what is over a local one does not against global ones. The router is last: it ends the chain.
 */
const FILTERS: readonly FilterBuilder[] = [
  buildOnDemand,
  buildTap,
  buildFault,
  buildCors,
  buildHttpQuestions,
  buildJwtFilters,
  buildHttpRbac,
  buildLimitHeaders,
  buildLocalRateLimits,
  buildGlobalRateLimits,
  buildHttpBandwidth,
  buildAlpn,
  buildRouter,
];

/**
 * How long a request or a connection waits for a cluster that the proxy does not have yet, in ms; it is answered 503 then, or closed. An operator that crashed
 * and is started again, or another replica, is found by then.
 */
export const CLUSTER_WAIT_MS = 15_000;

export function buildHttpFilters(context: FilterContext): HttpFilter[] {
  return FILTERS.flatMap((build) => build(context));
}

/** Holds a request for a cluster that the proxy does not have, and asks for that (ODCDS). */
function buildOnDemand({ onDemand }: FilterContext): HttpFilter[] {
  if (!onDemand) return [];
  const odcds = { source: adsSource(), timeout: milliseconds(CLUSTER_WAIT_MS) };
  return [buildHttpFilter('envoy.filters.http.on_demand', OnDemandSchema, create(OnDemandSchema, { odcds }))];
}

/** Injects what a route says, by `typed_per_filter_config`; else nothing. */
function buildFault({ direction }: FilterContext): HttpFilter[] {
  return direction === 'outbound' ? [buildHttpFilter(FAULT_FILTER, HTTPFaultSchema)] : [];
}

/** Answers preflights as a route says, by `typed_per_filter_config`; else none. */
function buildCors({ direction }: FilterContext): HttpFilter[] {
  return direction === 'outbound' ? [buildHttpFilter(CORS_FILTER, CorsSchema)] : [];
}

/** After all that could still choose another route. */
function buildAlpn({ direction }: FilterContext): HttpFilter[] {
  if (direction === 'inbound') return [];
  return [buildHttpFilter('envoy.filters.http.set_filter_state', FilterStateSchema, buildAlpnState())];
}

/** Without Envoy's own headers: applications never asked for them. */
function buildRouter(): HttpFilter[] {
  const config = create(RouterSchema, { suppressEnvoyHeaders: true });
  return [buildHttpFilter('envoy.filters.http.router', RouterSchema, config)];
}
