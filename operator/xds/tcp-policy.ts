import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { policyMs } from './cluster-durations.ts';

/** What a destination's policy says to the TCP proxy in front of its cluster, in ms. */
export interface TcpPolicy {
  /** 0: never. */
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
  /** The caller's address chooses the endpoint. */
  readonly hashSourceIp: boolean;
}

/** Settings of Istio's `connectionPool.tcp` and `consistentHash.useSourceIp` that Envoy has in its `tcp_proxy`, not in clusters. */
export function tcpPolicy(policy: TrafficPolicy): TcpPolicy {
  const tcp = policy.connectionPool?.tcp;
  const idleTimeoutMs = policyMs(tcp?.idleTimeout);
  const maxConnectionDurationMs = policyMs(tcp?.maxConnectionDuration);
  return {
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    ...(maxConnectionDurationMs === undefined ? {} : { maxConnectionDurationMs }),
    hashSourceIp: policy.loadBalancer?.consistentHash?.useSourceIp === true,
  };
}
