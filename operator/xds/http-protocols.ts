import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  type HttpProtocolOptions,
  HttpProtocolOptions_ExplicitHttpConfigSchema,
  HttpProtocolOptions_UseDownstreamHttpConfigSchema,
  HttpProtocolOptionsSchema,
} from '../../generated/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { isHttp } from '../mesh/protocol.ts';
import type { AppProtocol } from '../mesh/snapshot.ts';
import { milliseconds, pack } from './encoding.ts';

const OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** Port on which hosts have routes that no service has (Istio's). */
export const ROUTED_HTTP_PORT = 80;

/** Who is at the other end of a cluster's connections. */
export type Peer = 'application' | 'proxy';

/**
 * How long connections stay open without a request, in ms. A request sent on a connection that the other end is just closing is lost, and nobody can
 * tell whether it was received; so this end closes first. Applications close early (gunicorn after 2 s, Node after 5 s) and connecting again is
 * cheap; our own proxies wait for an hour, and connecting again costs a TLS handshake.
 */
const IDLE_MS: Readonly<Record<Peer, number>> = { application: 1000, proxy: 600_000 };

/** What a destination's policy says about HTTP to it. */
export interface HttpSettings {
  /** Version in place of the port's own: `client` is what the client spoke. */
  readonly version?: HttpVersion;
  /** In place of the default; 0: never. */
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
  readonly maxRequestsPerConnection?: number;
  readonly maxConcurrentStreams?: number;
  /** Whether the server name of TLS is each request's host. */
  readonly serverNameOfHost?: boolean;
  /** Whether the server's certificate must be for each request's host. */
  readonly verifyHost?: boolean;
}

export type HttpVersion = 'http1' | 'http2' | 'client';

/** What a port's clusters speak unless a policy says otherwise: HTTP/2 where it is declared, HTTP/1.1 where HTTP is not expected, else as it came. */
export function httpVersion(protocol: AppProtocol): HttpVersion {
  if (protocol === 'grpc' || protocol === 'http2') return 'http2';
  return isHttp(protocol) ? 'client' : 'http1';
}

/**
 * `typed_extension_protocol_options` of a cluster: HTTP/2 where it is declared, else what the client spoke, so that h2c, gRPC and WebSocket
 * pass as they came.
 */
export function buildHttpProtocolOptions(
  protocol: AppProtocol,
  peer: Peer,
  settings: HttpSettings = {},
): Record<string, Any> {
  const { maxConnectionDurationMs, maxRequestsPerConnection, maxConcurrentStreams } = settings;
  const { serverNameOfHost = false, verifyHost = false } = settings;
  const options = create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: upstreamProtocol(settings.version ?? httpVersion(protocol), maxConcurrentStreams),
    commonHttpProtocolOptions: {
      idleTimeout: milliseconds(settings.idleTimeoutMs ?? IDLE_MS[peer]),
      ...(maxConnectionDurationMs === undefined
        ? {}
        : { maxConnectionDuration: milliseconds(maxConnectionDurationMs) }),
      ...(maxRequestsPerConnection ? { maxRequestsPerConnection } : {}),
    },
    ...(serverNameOfHost || verifyHost
      ? { upstreamHttpProtocolOptions: { autoSni: serverNameOfHost, autoSanValidation: verifyHost } }
      : {}),
  });
  return { [OPTIONS]: pack(HttpProtocolOptionsSchema, options) };
}

function upstreamProtocol(
  version: HttpVersion,
  maxConcurrentStreams: number | undefined,
): HttpProtocolOptions['upstreamProtocolOptions'] {
  const http2ProtocolOptions = maxConcurrentStreams ? { maxConcurrentStreams } : {};
  if (version === 'client') {
    const value = create(HttpProtocolOptions_UseDownstreamHttpConfigSchema, {
      httpProtocolOptions: {},
      http2ProtocolOptions,
    });
    return { case: 'useDownstreamProtocolConfig', value };
  }
  const value = create(HttpProtocolOptions_ExplicitHttpConfigSchema, {
    protocolConfig:
      version === 'http2'
        ? { case: 'http2ProtocolOptions', value: http2ProtocolOptions }
        : { case: 'httpProtocolOptions', value: {} },
  });
  return { case: 'explicitHttpConfig', value };
}
