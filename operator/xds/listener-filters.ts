import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  type ListenerFilter,
  ListenerFilterSchema,
} from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { HttpInspectorSchema } from '../../generated/envoy/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js';
import { OriginalDstSchema } from '../../generated/envoy/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js';
import { TlsInspectorSchema } from '../../generated/envoy/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js';
import { pack } from './encoding.ts';

/**
 * When a listener's filters change, Envoy drains all its connections, while a change of filter chains touches those of the changed chains only. So
 * those of `virtualOutbound` and `virtualInbound` never depend on what the mesh holds. The listener of an outbound port looks for HTTP once there
 * may be HTTP on the port, and for TLS once a server name is to decide there (hosts without addresses, routes by server name): another such
 * host changes nothing any more. On a port without either nothing waits for the client to speak.
 */

/**
 * How long a connection of the pod's application may stay silent before it is taken for one where the server speaks first. Only connections
 * through an inspector wait at all.
 */
export const OUTBOUND_SILENCE_MS = 200;
/**
 * The same for connections from elsewhere. Longer, for a TLS handshake that begins later is read as HTTP and answered 400: with 200 ms a caller
 * without CPU to spare had dozens of them (tried on half a core), and a route whose retries leave out `connect-failure` lost the request. The
 * price is paid by callers outside of the mesh of servers that speak first.
 */
export const INBOUND_SILENCE_MS = 1000;

/** Gives the connection back the address it was made to, before redirection. */
export function buildOriginalDst(): ListenerFilter {
  return listenerFilter('original_dst', pack(OriginalDstSchema, create(OriginalDstSchema)));
}

/** Recognises TLS and its ALPN. */
export function buildTlsInspector(): ListenerFilter {
  return listenerFilter('tls_inspector', pack(TlsInspectorSchema, create(TlsInspectorSchema)));
}

/** Recognises HTTP/1 and h2c, unless the connection is already known to be TLS. */
export function buildHttpInspector(): ListenerFilter {
  return listenerFilter('http_inspector', pack(HttpInspectorSchema, create(HttpInspectorSchema)));
}

function listenerFilter(name: string, config: Any): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: `envoy.filters.listener.${name}`,
    configType: { case: 'typedConfig', value: config },
  });
}
