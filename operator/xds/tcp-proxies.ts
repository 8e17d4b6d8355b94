import { create } from '@bufbuild/protobuf';
import type { AccessLog } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import type { Filter } from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import {
  type TcpProxy_OnDemand,
  TcpProxy_OnDemandSchema,
  TcpProxySchema,
  UpstreamConnectMode,
} from '../../generated/envoy/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import { adsSource } from './config-source.ts';
import type { Share } from './destination.ts';
import { milliseconds } from './encoding.ts';
import { CLUSTER_WAIT_MS } from './http-filters.ts';
import { buildNetworkFilter } from './network-filter.ts';

/** Database connections may rest for hours; something must end those whose peer vanished. */
const IDLE_TIMEOUT_MS = 24 * 3600 * 1000;
/** Hosts tried before the client's connection is closed: nothing has been sent yet, so another one is as good. */
const CONNECT_ATTEMPTS = 5;

/** What a destination's policy says of connections, in ms, and how the proxy comes by clusters. */
export interface TcpProxyLimits {
  /** The client's address chooses the endpoint. */
  readonly hashesSource?: boolean;
  /** In place of the default; 0: never. */
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
  /** A connection asks for the cluster that it falls on, and waits for it. */
  readonly onDemand?: boolean;
  readonly accessLogs?: readonly AccessLog[];
  /** Logs that are told of connections when they are made, and not only when they end. */
  readonly stats?: readonly AccessLog[];
  /** The server is connected to once the client has shown its certificate: until then nobody could say whose connection it is. */
  readonly afterHandshake?: boolean;
}

/** Carries bytes to the shares; each connection to one cluster. One that does not exist closes it. */
export function buildTcpProxy(
  statPrefix: string,
  shares: readonly Share[],
  {
    hashesSource = false,
    idleTimeoutMs = IDLE_TIMEOUT_MS,
    maxConnectionDurationMs,
    onDemand,
    accessLogs = [],
    stats = [],
    afterHandshake = false,
  }: TcpProxyLimits = {},
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
    accessLog: [...accessLogs, ...stats],
    ...(stats.length === 0 ? {} : { accessLogOptions: { flushAccessLogOnConnected: true } }),
    ...(afterHandshake
      ? { upstreamConnectMode: UpstreamConnectMode.ON_DOWNSTREAM_TLS_HANDSHAKE, maxEarlyDataBytes: 0 }
      : {}),
    maxConnectAttempts: CONNECT_ATTEMPTS,
    ...(onDemand ? { onDemand: buildOnDemand() } : {}),
    hashPolicy: hashesSource ? [{ policySpecifier: { case: 'sourceIp', value: {} } }] : [],
  });
  return buildNetworkFilter('envoy.filters.network.tcp_proxy', TcpProxySchema, proxy);
}

function buildOnDemand(): TcpProxy_OnDemand {
  return create(TcpProxy_OnDemandSchema, { odcdsConfig: adsSource(), timeout: milliseconds(CLUSTER_WAIT_MS) });
}
