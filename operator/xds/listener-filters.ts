import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  type ListenerFilter,
  type ListenerFilterChainMatchPredicate,
  ListenerFilterChainMatchPredicateSchema,
  ListenerFilterSchema,
} from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { HttpInspectorSchema } from '../../generated/envoy/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js';
import { OriginalDstSchema } from '../../generated/envoy/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js';
import { TlsInspectorSchema } from '../../generated/envoy/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js';
import { pack } from './encoding.ts';

/**
 * How long a connection may stay silent before it is taken for one where the server speaks first. Only connections to ports with an inspector
 * wait at all.
 */
export const SNIFF_TIMEOUT_MS = 200;

/** Gives the connection back the address it was made to, before redirection. */
export function buildOriginalDst(): ListenerFilter {
  return listenerFilter('original_dst', pack(OriginalDstSchema, create(OriginalDstSchema)));
}

/** Recognises TLS and its ALPN, except on the given ports. */
export function buildTlsInspector(exceptPorts: readonly number[]): ListenerFilter {
  const filter = listenerFilter('tls_inspector', pack(TlsInspectorSchema, create(TlsInspectorSchema)));
  if (exceptPorts.length > 0) filter.filterDisabled = anyOfPorts(exceptPorts);
  return filter;
}

/** Recognises HTTP/1 and h2c, on the given ports only (at least one). */
export function buildHttpInspector(ports: readonly number[]): ListenerFilter {
  const filter = listenerFilter('http_inspector', pack(HttpInspectorSchema, create(HttpInspectorSchema)));
  filter.filterDisabled = create(ListenerFilterChainMatchPredicateSchema, {
    rule: { case: 'notMatch', value: anyOfPorts(ports) },
  });
  return filter;
}

function listenerFilter(name: string, config: Any): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: `envoy.filters.listener.${name}`,
    configType: { case: 'typedConfig', value: config },
  });
}

function anyOfPorts(ports: readonly number[]): ListenerFilterChainMatchPredicate {
  const rules = portRanges(ports).map(([start, end]) =>
    create(ListenerFilterChainMatchPredicateSchema, {
      rule: { case: 'destinationPortRange', value: { start, end } },
    }),
  );
  const [only, ...others] = rules;
  // Envoy refuses an "or" of one.
  if (only !== undefined && others.length === 0) return only;
  return create(ListenerFilterChainMatchPredicateSchema, { rule: { case: 'orMatch', value: { rules } } });
}

/** Runs of neighbouring ports as [first, last + 1]. */
export function portRanges(ports: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const port of [...new Set(ports)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === port) last[1] = port + 1;
    else ranges.push([port, port + 1]);
  }
  return ranges;
}
