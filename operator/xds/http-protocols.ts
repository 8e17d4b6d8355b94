import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  type HttpProtocolOptions,
  HttpProtocolOptionsSchema,
} from '../../generated/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import type { AppProtocol } from '../mesh/snapshot.ts';
import { milliseconds, pack } from './encoding.ts';

const OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

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
 *
 * @param idleMs closes connections that long without a request; undefined: Envoy's default, one hour
 */
export function buildHttpProtocolOptions(protocol: AppProtocol, idleMs?: number): Record<string, Any> {
  const options = create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: upstreamProtocol(protocol),
    ...(idleMs === undefined ? {} : { commonHttpProtocolOptions: { idleTimeout: milliseconds(idleMs) } }),
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
