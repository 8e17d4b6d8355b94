import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { isHttp } from '../mesh/protocol.ts';
import type { AppProtocol, MeshService } from '../mesh/snapshot.ts';
import { policyMs } from './cluster-durations.ts';
import { originatesTls, serverNames } from './cluster-tls.ts';
import { type HttpSettings, type HttpVersion, httpVersion } from './http-protocols.ts';

/** Whether requests may be routed to a cluster of the port: an HTTP port, or one that a policy readies for it, as for TLS that sidecars begin. */
export function carriesHttp(protocol: AppProtocol, policy: TrafficPolicy): boolean {
  return isHttp(protocol) || originatesTls(policy) || policy.connectionPool?.http !== undefined;
}

/** The version of HTTP towards a port (Istio `useClientProtocol`, `h2UpgradePolicy`). */
export function versionOf(protocol: AppProtocol, policy: TrafficPolicy): HttpVersion {
  const { useClientProtocol = false, h2UpgradePolicy } = policy.connectionPool?.http ?? {};
  if (useClientProtocol) return 'client';
  if (h2UpgradePolicy === 'UPGRADE') return 'http2';
  return h2UpgradePolicy === 'DO_NOT_UPGRADE' && protocol === 'http' ? 'http1' : httpVersion(protocol);
}

/** Version of HTTP towards a port, and limits of its connections. */
export function httpLimits(protocol: AppProtocol, policy: TrafficPolicy): HttpSettings {
  const { tcp, http } = policy.connectionPool ?? {};
  const idleTimeoutMs = policyMs(http?.idleTimeout) ?? policyMs(tcp?.idleTimeout);
  const maxConnectionDurationMs = policyMs(tcp?.maxConnectionDuration);
  return {
    version: versionOf(protocol, policy),
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    ...(maxConnectionDurationMs === undefined ? {} : { maxConnectionDurationMs }),
    ...(http?.maxRequestsPerConnection ? { maxRequestsPerConnection: http.maxRequestsPerConnection } : {}),
    ...(http?.maxConcurrentStreams ? { maxConcurrentStreams: http.maxConcurrentStreams } : {}),
  };
}

/** The same, and, where sidecars begin TLS, which names of it come from the request, as in Istio: those that the policy leaves open. */
export function httpSettings(protocol: AppProtocol, policy: TrafficPolicy, service: MeshService): HttpSettings {
  const serverNameOfHost = originatesTls(policy) && !policy.tls?.sni;
  const verified = serverNameOfHost && !policy.tls?.insecureSkipVerify;
  const verifyHost = verified && serverNames({ policy, service }).length === 0;
  return { ...httpLimits(protocol, policy), serverNameOfHost, verifyHost };
}
