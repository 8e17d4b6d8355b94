import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  type HttpProtocolOptions,
  HttpProtocolOptionsSchema,
} from '../../generated/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import type { AppProtocol } from '../mesh/snapshot.ts';
import { milliseconds, pack } from './encoding.ts';

const OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** Who is at the other end of a cluster's connections. */
export type Peer = 'application' | 'proxy';

/**
 * How long connections stay open without a request, in ms. A request sent on a connection that the other end is just closing is lost, and nobody can
 * tell whether it was received; so this end closes first. Applications close early (gunicorn after 2 s, Node after 5 s) and connecting again is
 * cheap; our own proxies wait for an hour, and connecting again costs a TLS handshake.
 */
const IDLE_MS: Readonly<Record<Peer, number>> = { application: 1000, proxy: 600_000 };

/** A port whose connections may be HTTP, as declared or as sniffed. */
export function isHttp(protocol: AppProtocol): boolean {
  return protocol === 'auto' || isDeclaredHttp(protocol);
}

/** A port declared as HTTP of some kind. */
export function isDeclaredHttp(protocol: AppProtocol): boolean {
  return protocol === 'http' || protocol === 'http2' || protocol === 'grpc';
}

/** A port whose connections may be opaque bytes. */
export function isTcp(protocol: AppProtocol): boolean {
  return protocol === 'tcp' || protocol === 'tls' || protocol === 'auto';
}

/**
 * `typed_extension_protocol_options` of a cluster: HTTP/2 where it is declared, else what the client spoke, so that h2c, gRPC and WebSocket
 * pass as they came.
 */
export function buildHttpProtocolOptions(protocol: AppProtocol, peer: Peer): Record<string, Any> {
  const options = create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: upstreamProtocol(protocol),
    commonHttpProtocolOptions: { idleTimeout: milliseconds(IDLE_MS[peer]) },
  });
  return { [OPTIONS]: pack(HttpProtocolOptionsSchema, options) };
}

function upstreamProtocol(protocol: AppProtocol): HttpProtocolOptions['upstreamProtocolOptions'] {
  const prototype = create(
    HttpProtocolOptionsSchema,
    protocol === 'grpc' || protocol === 'http2'
      ? {
          upstreamProtocolOptions: {
            case: 'explicitHttpConfig',
            value: { protocolConfig: { case: 'http2ProtocolOptions', value: {} } },
          },
        }
      : {
          upstreamProtocolOptions: {
            case: 'useDownstreamProtocolConfig',
            value: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
          },
        },
  );
  return prototype.upstreamProtocolOptions;
}
