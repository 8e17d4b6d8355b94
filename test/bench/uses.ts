/** What proxies of the benches use of a mesh, where they are sent clusters on demand: each some Services, one after the other all of them. */

/** That of all of its endpoints, which a change of one shows in, and one of its subsets. */
const SUBSETS = ['', 'v1'];
const NAMESPACE = 'shop';

/** Hostname of a Service of the bench mesh in one namespace. */
export function hostOf(service: number): string {
  return `app-${service}.${NAMESPACE}.svc.cluster.local`;
}

/** A cluster of a Service, one of its two. */
export function clusterOf(service: number): string {
  return `outbound|80|${SUBSETS[0]}|${hostOf(service)}`;
}

/**
 * Clusters that each proxy asks for by name.
 * @param each Services that one uses
 */
export function usedClusters(services: number, proxies: number, each: number): string[][] {
  return Array.from({ length: Math.min(proxies, services) }, (_, proxy) =>
    Array.from({ length: each }, (_, nth) => hostOf((proxy * each + nth) % services)).flatMap((host) =>
      SUBSETS.map((subset) => `outbound|80|${subset}|${host}`),
    ),
  );
}

/** What requests to clusters are asked for by: hosts on port 80. */
export function authoritiesOf(clusters: readonly string[]): string[] {
  return [...new Set(clusters.map((name) => `80/${name.split('|')[3] ?? ''}`))];
}
