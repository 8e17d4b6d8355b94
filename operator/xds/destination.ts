import type { SubsetPolicy } from '../mesh/destination-policy.ts';
import { type ObjectKey, objectKey } from '../mesh/object-ref.ts';
import { type Labels, matchSelector } from '../mesh/selector.ts';
import type { Endpoint, MeshService, RevisionSplit, ServicePort } from '../mesh/snapshot.ts';
import type { SplitTerms } from '../mesh/split-terms.ts';
import { outboundCluster } from './names.ts';

/** A cluster of one port of a service, and who is in it. */
export interface Pool {
  readonly cluster: string;
  readonly revision: string;
  readonly endpoints: readonly Endpoint[];
}

/** Percent of the traffic for a cluster; the shares of a destination add up to 100. */
export interface Share {
  readonly cluster: string;
  readonly weight: number;
  /** A `Set-Cookie` header of its answers. */
  readonly setCookie?: string;
}

/** The sides of a split that is by more than a share. */
export interface DestinationSplit {
  readonly canary: ObjectKey;
  /** Clusters. */
  readonly stable: string;
  readonly next: string;
  readonly terms: SplitTerms;
}

/** Where traffic for one port of a service goes. */
export interface Destination {
  readonly pools: readonly Pool[];
  readonly shares: readonly Share[];
  /** Absent where the shares are all there is. */
  readonly split?: DestinationSplit;
}

/**
 * Divides the endpoints of a service's port, or of a subset of it, into clusters. Without a split there is one. With one there are also the
 * cluster of the stable side and, while something is being released, that of the next revision. Pods that our gate holds back are in the
 * latter only. A next revision without a usable endpoint gets no share, whatever its weight: its requests would only fail. A subset that has
 * pods of the next revision alone gets them all, once they are to get anything.
 */
export function buildDestination(
  service: MeshService,
  port: ServicePort,
  endpoints: readonly Endpoint[],
  subset?: SubsetPolicy,
): Destination {
  const members = subset === undefined ? endpoints : endpoints.filter(({ labels }) => selects(subset.labels, labels));
  const cluster = (revision?: string) => outboundCluster(port.port, service.hostname, revision, subset?.name);
  const released = members.filter((endpoint) => !endpoint.gated);
  const pools: Pool[] = [{ cluster: cluster(), revision: '', endpoints: released }];
  const split = service.split;
  if (split === undefined) return { pools, shares: [{ cluster: cluster(), weight: 100 }] };

  const next = split.next === split.stable ? undefined : split.next;
  const stable = cluster(split.stable);
  // A pod of the stable revision is released, even while its gate is still to be opened.
  const stableSide = members.filter(
    ({ gated, revision }) => revision === split.stable || (!gated && revision !== next),
  );
  pools.push({ cluster: stable, revision: split.stable, endpoints: stableSide });
  if (next === undefined) return { pools, shares: [{ cluster: stable, weight: 100 }] };

  const candidates = members.filter((endpoint) => endpoint.revision === next);
  pools.push({ cluster: cluster(next), revision: next, endpoints: candidates });
  const usable = (side: readonly Endpoint[]) => side.some((endpoint) => endpoint.ports[port.name] !== undefined);
  const wanted = usable(candidates) ? Math.min(100, Math.max(0, Math.round(split.weight))) : 0;
  const weight = wanted > 0 && subset !== undefined && !usable(stableSide) ? 100 : wanted;
  const isShared = usable(candidates) && usable(stableSide);
  return { pools, ...divide(split, isShared ? split.terms : undefined, stable, cluster(next), weight) };
}

/** @param terms undefined where one side has no usable endpoint: there is no choice to be had */
function divide(
  { canary }: RevisionSplit,
  terms: SplitTerms | undefined,
  stable: string,
  next: string,
  weight: number,
): Pick<Destination, 'shares' | 'split'> {
  const cookie = (one: SplitTerms['nextCookie']) => (one === undefined ? {} : { setCookie: one.header });
  const old: Share = { cluster: stable, weight: 100 - weight, ...cookie(terms?.stableCookie) };
  const fresh: Share = { cluster: next, weight, ...cookie(terms?.nextCookie) };
  // A hash falls into a range that begins with the new side, so that whoever is on it stays as it grows.
  const shares = (terms?.stickiness === undefined ? [old, fresh] : [fresh, old]).filter((share) => share.weight > 0);
  return { shares, ...(terms === undefined ? {} : { split: { canary: objectKey(canary), stable, next, terms } }) };
}

/** A subset without labels is the whole service. */
export function selects(labels: Labels, own: Labels): boolean {
  return Object.keys(labels).length === 0 || matchSelector(labels, own);
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
