import { CLUSTER_TYPE, type ProxyIdentity } from '../xds/resource.ts';
import type { NamesAhead } from './names-ahead.ts';
import type { ResourceRegistry } from './resource-registry.ts';
import type { Subscription } from './subscription.ts';

/**
 * Sends clusters to a proxy with clusters on demand before a request goes there: those that its routes may lead to in place of one that it uses. So a
 * route that changes leads to nothing that an operator would have to be asked for.
 */
export class ClustersAhead {
  private readonly proxy: ProxyIdentity;
  private readonly registry: ResourceRegistry;
  private readonly use: NamesAhead;

  constructor(proxy: ProxyIdentity, registry: ResourceRegistry, use: NamesAhead) {
    this.proxy = proxy;
    this.registry = registry;
    this.use = use;
  }

  /** Whether a change of a cluster may matter to the proxy. Most that are sent on demand do to few. */
  concerns(clusters: Subscription, name: string): boolean {
    if (clusters.asksFor(name) || clusters.holds(name)) return true;
    return this.registry.lookupInWildcard(this.proxy, CLUSTER_TYPE, name) !== undefined;
  }

  /** Takes in names that the proxy asks for, or is treated as if it did. */
  follow(clusters: Subscription, names: Iterable<string>): void {
    const added: string[] = [];
    const open = [...names];
    // The loop also visits what is added on the way.
    for (const name of open) {
      for (const other of this.registry.companions(this.proxy, CLUSTER_TYPE, name)) {
        if (clusters.asksFor(other)) continue;
        clusters.ahead.add(other);
        clusters.dirty.add(other);
        added.push(other);
        open.push(other);
      }
    }
    this.use.asked(CLUSTER_TYPE, added);
  }

  /** Takes in that clusters, or what leads to them, may differ. */
  review(clusters: Subscription, names: Iterable<string>): void {
    if (!this.registry.isOneByOne(this.proxy, CLUSTER_TYPE)) return;
    this.follow(
      clusters,
      [...names].filter((name) => clusters.asksFor(name)),
    );
  }
}
