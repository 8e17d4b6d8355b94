import { create } from '@bufbuild/protobuf';
import { RouterSchema } from '../../generated/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { pack } from './encoding.ts';

/** On which side of a connection a filter chain stands. */
export type Direction = 'outbound' | 'inbound';

type FilterBuilder = (direction: Direction) => HttpFilter | undefined;

/**
 * HTTP filters in the order in which requests pass them. This is the one place that says so. The router is last: it ends the chain.
 */
const FILTERS: readonly FilterBuilder[] = [buildRouter];

export function buildHttpFilters(direction: Direction): HttpFilter[] {
  return FILTERS.map((build) => build(direction)).filter((filter) => filter !== undefined);
}

/** Without Envoy's own headers: applications never asked for them. */
function buildRouter(): HttpFilter {
  return create(HttpFilterSchema, {
    name: 'envoy.filters.http.router',
    configType: {
      case: 'typedConfig',
      value: pack(RouterSchema, create(RouterSchema, { suppressEnvoyHeaders: true })),
    },
  });
}
