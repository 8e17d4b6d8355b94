import { create } from '@bufbuild/protobuf';
import type { Filter } from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { ConnectionLimitSchema } from '../../generated/envoy/envoy/extensions/filters/network/connection_limit/v3/connection_limit_pb.js';
import { LocalRateLimitSchema } from '../../generated/envoy/envoy/extensions/filters/network/local_ratelimit/v3/local_rate_limit_pb.js';
import { TcpBandwidthLimitSchema } from '../../generated/envoy/envoy/extensions/filters/network/tcp_bandwidth_limit/v3/tcp_bandwidth_limit_pb.js';
import { rateLimitDomain } from '../mesh/rate-limit-descriptor.ts';
import type { AttachedRateLimits } from '../mesh/rate-limits.ts';
import { buildLimitMark } from './connection-refusals.ts';
import { milliseconds } from './encoding.ts';
import { isAbout } from './inbound-shape.ts';
import { buildNetworkFilter } from './network-filter.ts';
import { RATE_LIMIT_STATS } from './rate-limit-answer.ts';

/**
 * Closes connections over their limits, before a byte of them is read. Each is marked with the policy that does.
 * @param port undefined: a port that nobody declared
 */
export function buildConnectionLimits(attached: readonly AttachedRateLimits[], port: number | undefined): Filter[] {
  const all = limitsAt(attached, port).flatMap(({ ref, spec: { connections = {} } }) => {
    const { max, perSecond } = connections;
    if (max === undefined && perSecond === undefined) return [];
    const filters = [buildLimitMark(ref)];
    if (perSecond !== undefined) {
      const tokenBucket = { maxTokens: perSecond, tokensPerFill: perSecond, fillInterval: milliseconds(1000) };
      // All chains of the port count together.
      const shareKey = `${rateLimitDomain(ref)} ${port ?? 'other'}`;
      const config = create(LocalRateLimitSchema, { statPrefix: RATE_LIMIT_STATS, tokenBucket, shareKey });
      filters.push(buildNetworkFilter('envoy.filters.network.local_ratelimit', LocalRateLimitSchema, config));
    }
    if (max !== undefined) {
      const config = create(ConnectionLimitSchema, { statPrefix: RATE_LIMIT_STATS, maxConnections: BigInt(max) });
      filters.push(buildNetworkFilter('envoy.filters.network.connection_limit', ConnectionLimitSchema, config));
    }
    return filters;
  });
  return all.length === 0 ? [] : [...all, buildLimitMark(undefined)];
}

/** Has bytes of TCP wait that are over their limit. @param port undefined: a port that nobody declared */
export function buildTcpBandwidth(attached: readonly AttachedRateLimits[], port: number | undefined): Filter[] {
  return limitsAt(attached, port).flatMap(({ spec: { bandwidth } }) => {
    if (bandwidth === undefined) return [];
    const { receiveKiBPerSecond, sendKiBPerSecond } = bandwidth;
    const config = create(TcpBandwidthLimitSchema, {
      statPrefix: RATE_LIMIT_STATS,
      ...(receiveKiBPerSecond === undefined ? {} : { readLimitKbps: BigInt(receiveKiBPerSecond) }),
      ...(sendKiBPerSecond === undefined ? {} : { writeLimitKbps: BigInt(sendKiBPerSecond) }),
    });
    return [buildNetworkFilter('envoy.filters.network.tcp_bandwidth_limit', TcpBandwidthLimitSchema, config)];
  });
}

function limitsAt(attached: readonly AttachedRateLimits[], port: number | undefined) {
  return attached.filter((one) => isAbout(one, port)).map(({ rules }) => rules);
}
