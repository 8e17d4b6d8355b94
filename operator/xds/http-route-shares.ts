import type { WeightedBackend } from '../mesh/route-rule.ts';
import type { Share } from './destination.ts';

/** Most that the weights of a route may add up to: they and their sum are 32 bits wide in Envoy. */
const MAX_TOTAL = 0xffffffff;

/** A cluster's part of a rule's traffic. */
export interface RouteShare<B extends WeightedBackend> {
  readonly cluster: string;
  /** An integer above 0, relative to the sum. */
  readonly weight: number;
  readonly backend: B;
  readonly setCookie?: string;
}

/**
 * Multiplies out the weights of a rule's backends and of the clusters that each comes to. Whatever the weights, the result has their exact ratios, as
 * long as the sum has room in 32 bits; beyond that it has them to one in some billions. Clusters without weight are left out.
 *
 * @param resolve the clusters of a backend, their weights in percent
 * @param keepsTotal the sum stays the same whatever the clusters' weights: hashes are divided by it, and would fall elsewhere
 */
export function multiplyShares<B extends WeightedBackend>(
  backends: readonly B[],
  resolve: (backend: B) => readonly Share[],
  keepsTotal = false,
): RouteShare<B>[] {
  const weighted = backends.filter((backend) => backend.weight > 0);
  // A lone backend has everything, so its clusters keep the weights they have.
  const factor = (backend: B) => (weighted.length === 1 ? 1 : backend.weight);
  const shares = weighted
    .flatMap((backend) =>
      resolve(backend).map((share) => ({ ...share, weight: share.weight * factor(backend), backend })),
    )
    .filter(({ weight }) => weight > 0);
  const divisor =
    weighted.length === 1 || keepsTotal ? 1 : shares.reduce((common, { weight }) => gcd(common, weight), 100);
  const total = shares.reduce((sum, { weight }) => sum + weight, 0) / divisor;
  const scale = total > MAX_TOTAL ? (MAX_TOTAL - shares.length) / total : undefined;
  return shares.map(({ weight, ...share }) => {
    const reduced = weight / divisor;
    return { ...share, weight: scale === undefined ? reduced : Math.max(1, Math.floor(reduced * scale)) };
  });
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
