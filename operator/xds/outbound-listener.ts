import { create, toBinary } from '@bufbuild/protobuf';
import type { AccessLog } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { TrafficDirection } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import {
  type FilterChain,
  FilterChainMatchSchema,
  FilterChainSchema,
} from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { type Listener, ListenerSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { OUTBOUND_PORT } from '../../proxy/ports.ts';
import type { OutboundPolicy } from '../mesh/snapshot.ts';
import type { TaggedMetric } from '../mesh/telemetry-metrics.ts';
import { encodeResource } from './encoding.ts';
import { bindAddresses } from './listener-addresses.ts';
import { BLACK_HOLE_CLUSTER, BLOCK_CHAIN, OUTBOUND_LISTENER, PASSTHROUGH_CHAIN, PASSTHROUGH_CLUSTER } from './names.ts';
import type { TcpChain } from './outbound-target.ts';
import { LISTENER_TYPE, type XdsResource } from './resource.ts';
import { outboundTags } from './stats-logger.ts';
import { buildTcpProxy } from './tcp-proxies.ts';
import { buildTcpStatsLoggers } from './tcp-stats-loggers.ts';

/** Filter chain of connections to where the mesh knows nothing, and which therefore are closed. */
const UNKNOWN_CHAIN = 'unknown';

/**
 * The listener that all redirected outbound connections reach. It hands each to the listener of the port it was made to; where the mesh has
 * nothing on the port, the connection goes where it wanted to, without a wait, or is closed. Its content never changes with the mesh, so no
 * change there drains it.
 *
 * @param dualStack listens on IPv6 too; accessLogs for whom connections to where the mesh knows nothing are told to; tagged what is counted of them once more
 */
export function translateOutboundListener({
  dualStack,
  outboundPolicy,
  accessLogs = [],
  tagged,
}: {
  readonly dualStack: boolean;
  readonly outboundPolicy: OutboundPolicy;
  readonly accessLogs?: readonly AccessLog[];
  readonly tagged?: readonly TaggedMetric[] | undefined;
}): XdsResource {
  const block = buildTcpChain(BLOCK);
  // Connections made to this very port were not redirected: passing them through would be a loop.
  block.filterChainMatch = create(FilterChainMatchSchema, { destinationPort: OUTBOUND_PORT });
  return encodeListener(
    create(ListenerSchema, {
      name: OUTBOUND_LISTENER,
      ...bindAddresses(OUTBOUND_PORT, dualStack),
      trafficDirection: TrafficDirection.OUTBOUND,
      useOriginalDst: true,
      filterChains: [block],
      defaultFilterChain: buildTcpChain(unknownChain(outboundPolicy), false, accessLogs, tcpStatsOf(tagged)),
    }),
  );
}

/** Closes connections at once. */
export const BLOCK: TcpChain = { name: BLOCK_CHAIN, shares: [{ cluster: BLACK_HOLE_CLUSTER, weight: 100 }] };

/** Lets connections go where they wanted to. */
export const PASSTHROUGH: TcpChain = {
  name: PASSTHROUGH_CHAIN,
  shares: [{ cluster: PASSTHROUGH_CLUSTER, weight: 100 }],
};

/** What becomes of connections to where the mesh knows nothing. */
export function unknownChain(policy: OutboundPolicy): TcpChain {
  return policy === 'ALLOW_ANY' ? PASSTHROUGH : { ...BLOCK, name: UNKNOWN_CHAIN };
}

export function encodeListener(listener: Listener): XdsResource {
  return encodeResource(LISTENER_TYPE, listener.name, toBinary(ListenerSchema, listener));
}

/** The same for all chains; nobody alters them. */
const STATS = buildTcpStatsLoggers(outboundTags());

/** The loggers that count connections. @param tagged what is counted once more */
export function tcpStatsOf(tagged: readonly TaggedMetric[] | undefined): AccessLog[] {
  return tagged === undefined ? STATS : buildTcpStatsLoggers(outboundTags(), tagged);
}

/**
 * The filter chain for opaque connections. They are counted, but for those that nobody made to anybody.
 * @param onDemand connections ask for the clusters that every proxy does not have
 * @param accessLogs for whom connections are told to
 * @param counting loggers that count them, of `tcpStatsOf`
 */
export function buildTcpChain(
  { name, statPrefix = name, shares, ...limits }: TcpChain,
  onDemand = false,
  accessLogs: readonly AccessLog[] = [],
  counting = STATS,
): FilterChain {
  const stats = name === BLOCK_CHAIN ? [] : counting;
  const asks = onDemand && shares.some(({ cluster }) => !isBuiltin(cluster));
  return create(FilterChainSchema, {
    name,
    filters: [buildTcpProxy(statPrefix, shares, { ...limits, onDemand: asks, accessLogs, stats })],
  });
}

function isBuiltin(cluster: string): boolean {
  return cluster === BLACK_HOLE_CLUSTER || cluster === PASSTHROUGH_CLUSTER;
}
