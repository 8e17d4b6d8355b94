import type { RouteRule, WeightedBackend } from '../mesh/route-rule.ts';
import type { Hostname } from '../mesh/snapshot.ts';
import { BackendResolution } from './backend-resolution.ts';
import type { Client } from './clients.ts';
import { readOutboundCluster } from './names.ts';
import type { OnDemandClusters, OnDemandSources } from './on-demand-clusters.ts';
import { routeNames } from './route-names.ts';
import { choicesOf } from './rule-index.ts';
import type { Scope } from './scope.ts';
import { ScopeMemo } from './scope-memo.ts';

const NOTHING: readonly string[] = [];

/**
 * Which clusters go along with one that a client on demand asks for: those that its next requests may be sent to instead, be it by the weights of a
 * route or by another revision or subset of the same service. Who would ask for them only then depends on an operator at each step of a release.
 */
export class ClustersAlong {
  private readonly sources: OnDemandSources;
  private readonly onDemand: OnDemandClusters;
  private readonly known = new ScopeMemo<readonly string[]>();

  constructor(sources: OnDemandSources, onDemand: OnDemandClusters) {
    this.sources = sources;
    this.onDemand = onDemand;
  }

  /** The mesh is another now. */
  forget(): void {
    this.known.forget();
  }

  /** Names of the clusters that go along with one; none with what there is not, or is not sent on demand. */
  names(name: string, client: Client): readonly string[] {
    if (!this.onDemand.includes(name, client)) return NOTHING;
    const { scope } = client;
    const known = this.known.get(scope, name);
    const all = known ?? this.find(name, scope);
    // Names that mean nothing are anybody's to make up: they are not remembered.
    if (all === undefined) return NOTHING;
    if (known === undefined) this.known.set(scope, name, all);
    return all.filter((other) => this.onDemand.includes(other, client));
  }

  private find(name: string, scope: Scope): readonly string[] | undefined {
    const { hostname, port } = readOutboundCluster(name) ?? { hostname: '', port: 0 };
    // Single pods of a headless service nothing else answers for.
    const service = scope.service(hostname);
    if (service === undefined || !this.sources.services.variant(scope, service).clusters.has(name)) return undefined;
    const resolution = new BackendResolution(this.sources, scope, port);
    const clustersOf = (backend: WeightedBackend): string[] => {
      const { shares, split } = resolution.resolve(backend);
      return [...shares.map(({ cluster }) => cluster), ...(split === undefined ? [] : [split.stable, split.next])];
    };
    const found = new Set<string>();
    for (const rule of this.rulesTo(hostname, scope)) {
      for (const backends of choicesOf(rule)) {
        const clusters = backends.flatMap(clustersOf);
        if (clusters.some((cluster) => isOf(cluster, hostname, port))) for (const one of clusters) found.add(one);
      }
    }
    if (scope.rules(hostname).length === 0)
      for (const one of clustersOf({ hostname, port, weight: 100 })) found.add(one);
    found.delete(name);
    return [...found];
  }

  /** Rules that clients of a scope have and that lead to a host: by its name, by one that stands for it, or by one that it covers. */
  private *rulesTo(hostname: Hostname, scope: Scope): Generator<RouteRule> {
    for (const name of routeNames(this.sources, [hostname])) {
      for (const rule of this.sources.rules.leadingTo(name)) {
        if (rule.hosts.some((host) => scope.rules(host).includes(rule))) yield rule;
      }
    }
  }
}

function isOf(cluster: string, hostname: Hostname, port: number): boolean {
  const read = readOutboundCluster(cluster);
  return read?.hostname === hostname && read.port === port;
}
