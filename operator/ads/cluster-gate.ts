import type { NameFilter } from './name-table.ts';

/** What of a cluster that was sent a proxy has not put to use yet. */
type Missing = 'both' | 'endpoints' | 'cluster';

/**
 * Remembers which clusters a proxy was sent but has not put to use yet: Envoy must have acknowledged the cluster and, where it
 * has one, its load assignment. Routes that may name such a cluster wait for it.
 */
export class ClusterGate {
  private readonly unsettled = new Map<string, Missing>();
  private blockedSince: number | undefined;
  private readonly hasEndpoints: (cluster: string) => boolean;

  /** @param hasEndpoints says whether a cluster has a load assignment of its name for this proxy */
  constructor(hasEndpoints: (cluster: string) => boolean) {
    this.hasEndpoints = hasEndpoints;
  }

  get open(): boolean {
    return this.unsettled.size === 0;
  }

  /** The cluster was sent and its endpoints are not in use yet. */
  waitsFor(cluster: string): boolean {
    return this.unsettled.has(cluster);
  }

  clusterSent(cluster: string): void {
    this.unsettled.set(cluster, 'both');
  }

  /** Acknowledged, rejected or removed: a rejected cluster is not waited for, it would hold back everything else. */
  clusterSettled(cluster: string, accepted: boolean): void {
    const missing = this.unsettled.get(cluster);
    if (missing === undefined) return;
    if (!accepted || missing === 'cluster' || !this.hasEndpoints(cluster)) this.unsettled.delete(cluster);
    else this.unsettled.set(cluster, 'endpoints');
  }

  endpointsSettled(cluster: string): void {
    const missing = this.unsettled.get(cluster);
    if (missing === 'endpoints') this.unsettled.delete(cluster);
    else if (missing === 'both') this.unsettled.set(cluster, 'cluster');
  }

  /** Nothing is left to say of the endpoints of clusters. @param asked those whose endpoints the proxy has asked for */
  endpointsIdle(asked: NameFilter): void {
    for (const name of this.unsettled.keys()) if (asked.has(name)) this.endpointsSettled(name);
  }

  /** Waits no longer for clusters that the proxy has given up. */
  keepTo(isAsked: (cluster: string) => boolean): void {
    for (const name of this.unsettled.keys()) if (!isAsked(name)) this.unsettled.delete(name);
  }

  /**
   * Says whether routes may go although the gate is not open, because they waited too long.
   * @param now and bound in ms
   * @returns ms still to wait; 0 when they may go
   */
  patience(now: number, bound: number): number {
    this.blockedSince ??= now;
    const left = this.blockedSince + bound - now;
    if (left > 0) {
      return left;
    }
    this.unsettled.clear();
    this.blockedSince = undefined;
    return 0;
  }

  /** Routes went or there are none to send: the next wait starts anew. */
  passed(): void {
    this.blockedSince = undefined;
  }
}
