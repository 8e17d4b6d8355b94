import { createRegistry, type JsonValue, toJson } from '@bufbuild/protobuf';
import { type Route, RouteSchema } from '../../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { CorsPolicySchema } from '../../../generated/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import { HTTPFaultSchema } from '../../../generated/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { PreviousHostsPredicateSchema } from '../../../generated/envoy/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js';
import { PreviousPrioritiesConfigSchema } from '../../../generated/envoy/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js';
import type { HeaderRules, HttpMatch, HttpRule, WeightedBackend } from '../../mesh/route-rule.ts';
import type { RouteContext } from '../http-route-context.ts';

/** Rules of HTTP for tests, and what becomes of them as JSON. */

/** A rule that sends everything to the cluster `a`. */
export function rule(more: Partial<HttpRule> = {}): HttpRule {
  return { name: '', matches: [], action: { kind: 'forward', backends: [backend('a')] }, mirrors: [], ...more };
}

export function backend(hostname: string, weight = 100, headers?: HeaderRules): WeightedBackend {
  return { hostname, weight, ...(headers === undefined ? {} : { headers }) };
}

/** A match of every path, with the given conditions. */
export function match(more: Partial<HttpMatch> = {}): HttpMatch {
  return { ignoreUriCase: false, headers: [], withoutHeaders: [], queryParams: [], ...more };
}

/** Operations on headers, `set`, `add` and `remove` of each side. */
export function headers(
  request: Partial<HeaderRules['request']>,
  response: Partial<HeaderRules['response']> = {},
): HeaderRules {
  const none = { set: [], add: [], remove: [] };
  return { request: { ...none, ...request }, response: { ...none, ...response } };
}

/** Each backend is a cluster of its host's name, and the client addresses port 8080. */
export const CONTEXT: RouteContext = {
  port: 8080,
  resolve: ({ hostname }) => ({ shares: [{ cluster: hostname, weight: 100 }], hashPolicies: [] }),
  mirrorCluster: ({ hostname }) => hostname,
};

const registry = createRegistry(
  ...[HTTPFaultSchema, CorsPolicySchema, PreviousHostsPredicateSchema, PreviousPrioritiesConfigSchema],
);

/** A route as JSON with the names of Envoy's documentation. */
export function routeJson(route: Route): JsonValue {
  return toJson(RouteSchema, route, { registry, useProtoFieldName: true });
}
