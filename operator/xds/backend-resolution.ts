import type { Backend } from '../mesh/route-rule.ts';
import type { Hostname, MeshService } from '../mesh/snapshot.ts';
import type { AliasTable } from './aliases.ts';
import { callerShares } from './caller-side.ts';
import { hashPolicies } from './cluster-load-balancing.ts';
import type { DestinationSplit } from './destination.ts';
import type { HostIndex } from './host-index.ts';
import type { ResolvedBackend, RouteContext } from './http-route-context.ts';
import { isSource } from './http-rules.ts';
import { BLACK_HOLE_CLUSTER, outboundCluster } from './names.ts';
import type { Scope, ScopeTraits } from './scope.ts';
import type { ServiceTable } from './service-table.ts';
import { tcpPolicy } from './tcp-policy.ts';

/** What routes are resolved with. */
export interface ResolutionSources {
  readonly hosts: HostIndex;
  readonly services: ServiceTable;
  readonly aliases: AliasTable;
}

/**
 * Closes connections and answers 503 at once. A cluster that does not exist would do so as well, but not where clusters are on demand: Envoy asks for it
 * once, and whoever comes later waits for five seconds.
 */
const NOWHERE: ResolvedBackend = { shares: [{ cluster: BLACK_HOLE_CLUSTER, weight: 100 }], hashPolicies: [] };

/** What backends come to for the clients of a scope on one port. */
export class BackendResolution implements RouteContext {
  private readonly sources: ResolutionSources;
  private readonly scope: Scope;
  /** @inheritDoc */
  readonly port: number;

  /** @param port that the client addresses */
  constructor(sources: ResolutionSources, scope: Scope, port: number) {
    this.sources = sources;
    this.scope = scope;
    this.port = port;
  }

  /** @inheritDoc */
  resolve(backend: Backend): ResolvedBackend {
    const service = destinationService(this.sources, this.scope, backend.hostname);
    const port = this.portOf(backend, service);
    const subset = backend.subset ?? '';
    const found = service && this.sources.services.variant(this.scope, service).destinations.get(port)?.get(subset);
    if (found !== undefined) {
      const { policy } = found;
      const split = found.split && cutSplit(found.split, this.scope.traits);
      const shares = callerShares(found, this.scope.traits);
      return {
        shares,
        ...(split === undefined ? {} : { split }),
        hashPolicies: hashPolicies(policy),
        tcp: tcpPolicy(policy),
      };
    }
    return NOWHERE;
  }

  /** @inheritDoc */
  mirrorCluster(backend: Backend): string {
    const service = destinationService(this.sources, this.scope, backend.hostname);
    const hostname = service?.hostname ?? backend.hostname;
    return outboundCluster(this.portOf(backend, service), hostname, undefined, backend.subset);
  }

  private portOf({ port }: Backend, service: MeshService | undefined): number {
    if (port !== undefined) return port;
    const [only, ...others] = service?.ports ?? [];
    return only !== undefined && others.length === 0 ? only.port : this.port;
  }
}

/** The service that a backend of a hostname is for the clients of a scope: where the hostname stands for another one, that; undefined when they see none. */
export function destinationService(
  { aliases }: Pick<ResolutionSources, 'aliases'>,
  scope: Scope,
  hostname: Hostname,
): MeshService | undefined {
  const service = scope.destination(hostname);
  if (service?.kind !== 'ExternalName') return service;
  const target = aliases.target(hostname);
  return target === undefined ? undefined : scope.destination(target);
}

/** With those of the matches that are for these clients. */
function cutSplit(split: DestinationSplit, client: ScopeTraits): DestinationSplit {
  const matches = split.terms.matches.filter(({ source }) => isSource(source, client));
  return matches.length === split.terms.matches.length ? split : { ...split, terms: { ...split.terms, matches } };
}
