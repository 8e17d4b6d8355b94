import type { HostDemand } from './host-demand.ts';
import type { Subscription } from './subscription.ts';

/**
 * Sends virtual hosts after the route configurations that a proxy has. Envoy asks for them once, and does not say of which configurations: of all that it has,
 * from the moment it has one (`VhdsSubscription` in its source).
 */
export class RouteFollowing {
  /** Route configurations that were sent since the last time: the proxy has none of their virtual hosts. */
  private readonly fresh = new Set<string>();

  sent(name: string): void {
    this.fresh.add(name);
  }

  /**
   * Takes in what a proxy asks for and has of route configurations.
   * @param current names, virtual hosts among them, of which it has just said that it has the newest version
   */
  follow(routes: Subscription, hosts: Subscription, demand: HostDemand, current?: ReadonlySet<string>): void {
    const has = [...routes.names].filter((name) => routes.holds(name));
    demand.keepTo(routes.names);
    hosts.collect({ has, asked: routes.names, fresh: this.fresh }, (name) => demand.members(name), current);
    this.fresh.clear();
  }
}
