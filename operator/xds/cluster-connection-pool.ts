import { create } from '@bufbuild/protobuf';
import {
  type CircuitBreakers_Thresholds,
  CircuitBreakers_ThresholdsSchema,
} from '../../generated/envoy/envoy/config/cluster/v3/circuit_breaker_pb.js';
import {
  type Cluster,
  type UpstreamConnectionOptions,
  UpstreamConnectionOptionsSchema,
} from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { policyDuration, policyMs } from './cluster-durations.ts';

const UNLIMITED = 0xffffffff;
/** Istio's defaults of `retryBudget`. */
const RETRY_PERCENT = 20;
const RETRY_CONCURRENCY = 3;
/** What Linux takes for TCP_KEEPIDLE and TCP_KEEPINTVL in seconds, and TCP_KEEPCNT; with more, connecting fails. */
const MAX_KEEPALIVE_SECONDS = 32_767;
const MAX_KEEPALIVE_PROBES = 127;

type TcpKeepalive = NonNullable<NonNullable<NonNullable<TrafficPolicy['connectionPool']>['tcp']>['tcpKeepalive']>;

/**
 * Limits on connections, requests and retries (Istio `connectionPool`, `retryBudget`; Envoy `circuit_breakers`). Without a policy there is none:
 * Envoy's default of 1024 would refuse requests that Kubernetes alone would have let through. 0 stands for no limit, as in Istio.
 */
export function buildThresholds(policy: TrafficPolicy): CircuitBreakers_Thresholds {
  const { connections, pending, active } = poolLimitsOf(policy);
  const budget = policy.retryBudget;
  return create(CircuitBreakers_ThresholdsSchema, {
    maxConnections: connections ?? UNLIMITED,
    maxPendingRequests: pending ?? UNLIMITED,
    maxRequests: active ?? UNLIMITED,
    maxRetries: policy.connectionPool?.http?.maxRetries || UNLIMITED,
    trackRemaining: false,
    ...(budget === undefined
      ? {}
      : {
          retryBudget: {
            budgetPercent: { value: budget.percent ?? RETRY_PERCENT },
            minRetryConcurrency: budget.minRetryConcurrency || RETRY_CONCURRENCY,
          },
        }),
  });
}

/** How much of what a pool may have open; absent: as much as there is. */
export function poolLimitsOf({ connectionPool }: TrafficPolicy): {
  readonly connections?: number;
  readonly pending?: number;
  readonly active?: number;
} {
  const { tcp, http } = connectionPool ?? {};
  return {
    ...(tcp?.maxConnections ? { connections: tcp.maxConnections } : {}),
    ...(http?.http1MaxPendingRequests ? { pending: http.http1MaxPendingRequests } : {}),
    ...(http?.http2MaxRequests ? { active: http.http2MaxRequests } : {}),
  };
}

/** Puts the limits of a policy, its timeout for connecting and TCP keepalive into a cluster. */
export function applyConnectionPool(cluster: Cluster, policy: TrafficPolicy): void {
  const tcp = policy.connectionPool?.tcp;
  if (cluster.circuitBreakers !== undefined) cluster.circuitBreakers.thresholds = [buildThresholds(policy)];
  const timeout = policyDuration(tcp?.connectTimeout);
  if (timeout !== undefined) cluster.connectTimeout = timeout;
  if (tcp?.tcpKeepalive !== undefined) cluster.upstreamConnectionOptions = buildKeepalive(tcp.tcpKeepalive);
}

/** What is left out is as the system has it. */
function buildKeepalive({ probes, time, interval }: TcpKeepalive): UpstreamConnectionOptions {
  const seconds = (text: string | undefined): number =>
    Math.min(MAX_KEEPALIVE_SECONDS, Math.ceil((policyMs(text) ?? 0) / 1000));
  const [keepaliveTime, keepaliveInterval] = [seconds(time), seconds(interval)];
  return create(UpstreamConnectionOptionsSchema, {
    tcpKeepalive: {
      ...(probes ? { keepaliveProbes: Math.min(MAX_KEEPALIVE_PROBES, probes) } : {}),
      ...(keepaliveTime > 0 ? { keepaliveTime } : {}),
      ...(keepaliveInterval > 0 ? { keepaliveInterval } : {}),
    },
  });
}
