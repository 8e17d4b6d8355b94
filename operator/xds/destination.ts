import type { Endpoint, MeshService, ServicePort } from '../mesh/snapshot.ts';
import { outboundCluster } from './names.ts';

/** An EDS cluster of one port of a service, and who is in it. */
export interface Pool {
  readonly cluster: string;
  readonly revision: string;
  readonly endpoints: readonly Endpoint[];
}

/** Percent of the traffic for a cluster; the shares of a destination add up to 100. */
export interface Share {
  readonly cluster: string;
  readonly weight: number;
}

/** Where traffic for one port of a service goes. */
export interface Destination {
  readonly pools: readonly Pool[];
  readonly shares: readonly Share[];
}

/**
 * Divides the endpoints of a service's port into clusters. Without a split there is one. With one there are also the cluster of the stable
 * side and, while something is being released, that of the next revision. Pods that our gate holds back are in the latter only. A next
 * revision without a usable endpoint gets no share, whatever its weight: its requests would only fail.
 */
export function buildDestination(service: MeshService, port: ServicePort, endpoints: readonly Endpoint[]): Destination {
  const base = outboundCluster(port.port, service.hostname);
  const released = endpoints.filter((endpoint) => !endpoint.gated);
  const pools: Pool[] = [{ cluster: base, revision: '', endpoints: released }];
  const split = service.split;
  if (split === undefined) return { pools, shares: [{ cluster: base, weight: 100 }] };

  const next = split.next === split.stable ? undefined : split.next;
  const stable = outboundCluster(port.port, service.hostname, split.stable);
  pools.push({
    cluster: stable,
    revision: split.stable,
    // A pod of the stable revision is released, even while its gate is still to be opened.
    endpoints: endpoints.filter(({ gated, revision }) => revision === split.stable || (!gated && revision !== next)),
  });
  if (next === undefined) return { pools, shares: [{ cluster: stable, weight: 100 }] };

  const candidate = outboundCluster(port.port, service.hostname, next);
  const candidates = endpoints.filter((endpoint) => endpoint.revision === next);
  pools.push({ cluster: candidate, revision: next, endpoints: candidates });
  const usable = candidates.some((endpoint) => endpoint.ports[port.name] !== undefined);
  const weight = usable ? Math.min(100, Math.max(0, Math.round(split.weight))) : 0;
  const shares = [
    { cluster: stable, weight: 100 - weight },
    { cluster: candidate, weight },
  ];
  return { pools, shares: shares.filter((share) => share.weight > 0) };
}

/** Whether the endpoint takes mesh mTLS on the given port of its pod. */
export function acceptsMeshTls(endpoint: Endpoint, port: number): boolean {
  return endpoint.mtls && endpoint.spiffeId !== undefined && !endpoint.plaintextPorts.includes(port);
}

/** SPIFFE IDs of the endpoints that speak mesh mTLS, sorted. Gated ones count too: a release then alters no cluster. */
export function expectedPeers(endpoints: readonly Endpoint[]): string[] {
  const ids = new Set<string>();
  for (const endpoint of endpoints) {
    if (endpoint.mtls && endpoint.spiffeId !== undefined) ids.add(endpoint.spiffeId);
  }
  return [...ids].sort();
}
