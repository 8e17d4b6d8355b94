import { coversHostname, isWildcard } from '../mesh/hostname.ts';
import type { Hostname, MeshService } from '../mesh/snapshot.ts';
import type { AliasTable } from './aliases.ts';
import type { Client } from './clients.ts';
import type { HostIndex } from './host-index.ts';
import { readOutboundCluster } from './names.ts';
import { routablePorts } from './routable-ports.ts';
import { routeNames } from './route-names.ts';
import { destinationsOf, type RuleIndex } from './rule-index.ts';
import type { Scope } from './scope.ts';
import { ScopeMemo } from './scope-memo.ts';
import type { ServiceTable } from './service-table.ts';

/** What is looked at to tell which clusters may wait. */
export interface OnDemandSources {
  readonly hosts: HostIndex;
  readonly rules: RuleIndex;
  readonly aliases: AliasTable;
  readonly services: ServiceTable;
}

/** So many names are remembered of a scope: anybody can make them up. */
const MOST_KNOWN = 20_000;

/** Which clusters a client that asks for them one by one is sent when a request or connection first goes there, and which at once. */
export class OnDemandClusters {
  private readonly sources: OnDemandSources;
  private readonly serviceOf: (hostname: Hostname, scope: Scope) => MeshService | undefined;
  /** Of each cluster that differs all proxies are asked for. */
  private readonly known = new ScopeMemo<boolean>(MOST_KNOWN);

  /** @param serviceOf gives the service that the clients of a scope reach by a cluster's hostname */
  constructor(sources: OnDemandSources, serviceOf: (hostname: Hostname, scope: Scope) => MeshService | undefined) {
    this.sources = sources;
    this.serviceOf = serviceOf;
  }

  /**
   * Whether a client is sent a cluster when a request or connection first goes there, which waits for it. Copies of requests would not wait.
   */
  includes(name: string, { scope, onDemand }: Client): boolean {
    if (!onDemand) return false;
    const known = this.known.get(scope, name);
    if (known !== undefined) return known;
    const found = this.find(name, scope);
    this.known.set(scope, name, found);
    return found;
  }

  /** The mesh is another now. */
  forget(): void {
    this.known.forget();
  }

  private find(name: string, scope: Scope): boolean {
    const read = readOutboundCluster(name);
    const service = read && this.serviceOf(read.hostname, scope);
    if (read === undefined || service === undefined || this.isForAll(service)) return false;
    if (isMirrored(service) && read.revision === service.split?.next) return false;
    return routablePorts(service).some(({ port }) => port === read.port);
  }

  /** Whether that holds for all clusters of a service. They need not be made to know it. */
  includesAll(service: MeshService): boolean {
    return !isMirrored(service) && !this.isForAll(service);
  }

  /**
   * Names of clusters that may be included now and were not before, or the other way round, or that others may go along with: that depends on ports, and
   * on what leads there, which a cluster may not show.
   * @param hostnames that something differs of, or of what leads to them
   * @param scopes those of whose clients some are sent clusters on demand
   */
  *mayDiffer(hostnames: ReadonlySet<Hostname>, scopes: Iterable<Scope>): Generator<string> {
    const { aliases, hosts, rules, services } = this.sources;
    const reached = new Set(hostnames);
    for (const name of routeNames(this.sources, hostnames)) {
      for (const rule of rules.leadingTo(name)) for (const other of destinationsOf(rule)) reached.add(other);
    }
    for (const hostname of [...reached]) {
      const target = aliases.target(hostname);
      if (target !== undefined) reached.add(target);
      for (const covering of hosts.coveringWildcards(hostname)) reached.add(covering);
    }
    const all = [...scopes];
    for (const hostname of reached) {
      for (const service of hosts.claimants(hostname)) {
        // Names are of what was made, and for who never used it nothing was.
        if (!this.includesAll(service)) for (const scope of all) this.make(service, scope);
        yield* services.clusterNames(service.key);
      }
    }
  }

  /**
   * Whether all clusters of a service are sent at once. Names that DNS is asked for are looked up before: Envoy takes such a cluster for ready when it
   * comes, so that none holds up its start, and a first request would find no endpoint.
   */
  private isForAll({ hostname, resolution }: MeshService): boolean {
    return resolution === 'dns' || resolution === 'dns-round-robin' || this.getsCopies(hostname);
  }

  private make(service: MeshService, scope: Scope): void {
    if (scope.service(service.hostname)?.key === service.key) this.sources.services.variant(scope, service);
  }

  /** Whether copies of requests are sent to a host: by its name, by one that stands for it, or by one that it covers. */
  private getsCopies(hostname: Hostname): boolean {
    const { aliases, rules } = this.sources;
    for (const name of aliases.withAliases([hostname])) if (rules.mirrorsTo(name)) return true;
    return isWildcard(hostname) && [...rules.allMirrors()].some((name) => coversHostname(hostname, name));
  }
}

/** Whether the revision that is released gets copies of requests. */
function isMirrored({ split }: MeshService): boolean {
  return (split?.terms?.mirror ?? 0) > 0;
}
