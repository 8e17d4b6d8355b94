import { create } from '@bufbuild/protobuf';
import { type Filter, FilterSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { TcpProxySchema } from '../../generated/envoy/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import type { Share } from './destination.ts';
import { milliseconds, pack } from './encoding.ts';

/** Database connections may rest for hours; something must end those whose peer vanished. */
const IDLE_TIMEOUT_MS = 24 * 3600 * 1000;
/** Hosts tried before the client's connection is closed: nothing has been sent yet, so another one is as good. */
const CONNECT_ATTEMPTS = 5;

/** What a destination's policy says of connections, in ms. */
export interface TcpProxyLimits {
  /** The client's address chooses the endpoint. */
  readonly hashesSource?: boolean;
  /** In place of the default; 0: never. */
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
}

/** Carries bytes to the shares; each connection to one cluster. One that does not exist closes it. */
export function buildTcpProxy(
  statPrefix: string,
  shares: readonly Share[],
  { hashesSource = false, idleTimeoutMs = IDLE_TIMEOUT_MS, maxConnectionDurationMs }: TcpProxyLimits = {},
): Filter {
  const [only, ...others] = shares;
  const proxy = create(TcpProxySchema, {
    statPrefix,
    clusterSpecifier:
      only !== undefined && others.length === 0
        ? { case: 'cluster', value: only.cluster }
        : {
            case: 'weightedClusters',
            value: { clusters: shares.map(({ cluster, weight }) => ({ name: cluster, weight })) },
          },
    idleTimeout: milliseconds(idleTimeoutMs),
    ...(maxConnectionDurationMs === undefined
      ? {}
      : { maxDownstreamConnectionDuration: milliseconds(maxConnectionDurationMs) }),
    maxConnectAttempts: CONNECT_ATTEMPTS,
    hashPolicy: hashesSource ? [{ policySpecifier: { case: 'sourceIp', value: {} } }] : [],
  });
  return create(FilterSchema, {
    name: 'envoy.filters.network.tcp_proxy',
    configType: { case: 'typedConfig', value: pack(TcpProxySchema, proxy) },
  });
}
