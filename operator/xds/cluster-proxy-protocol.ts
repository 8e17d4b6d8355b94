import { create } from '@bufbuild/protobuf';
import { type TransportSocket, TransportSocketSchema } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import { ProxyProtocolConfig_Version } from '../../generated/envoy/envoy/config/core/v3/proxy_protocol_pb.js';
import { ProxyProtocolUpstreamTransportSchema } from '../../generated/envoy/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { pack } from './encoding.ts';

/** A socket that first tells the server who the client is (Istio `proxyProtocol`, version 1 unless it says 2), then goes on as the given one. */
export function wrapProxyProtocol(
  settings: NonNullable<TrafficPolicy['proxyProtocol']>,
  transportSocket: TransportSocket,
): TransportSocket {
  const version = settings.version === 'V2' ? ProxyProtocolConfig_Version.V2 : ProxyProtocolConfig_Version.V1;
  const transport = create(ProxyProtocolUpstreamTransportSchema, { config: { version }, transportSocket });
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    configType: { case: 'typedConfig', value: pack(ProxyProtocolUpstreamTransportSchema, transport) },
  });
}
