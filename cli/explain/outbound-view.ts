import type { HttpRule, RouteRule } from '../../operator/mesh/route-rule.ts';
import type { Endpoint, MeshService, MeshSnapshot, Workload } from '../../operator/mesh/snapshot.ts';
import { BackendResolution } from '../../operator/xds/backend-resolution.ts';
import { CacheChange } from '../../operator/xds/cache-change.ts';
import type { Client } from '../../operator/xds/clients.ts';
import { buildDestination } from '../../operator/xds/destination.ts';
import { cutHttpRules, cutTcpRules, cutTlsRules, mergeHttpRules } from '../../operator/xds/http-rules.ts';
import { readAuthority, readOutboundCluster, readVirtualHost } from '../../operator/xds/names.ts';
import { Outbound } from '../../operator/xds/outbound.ts';
import { routablePorts } from '../../operator/xds/routable-ports.ts';
import { wholeDelta } from '../../operator/xds/whole-delta.ts';
import { calledNames } from './called-names.ts';

/** What a client has for an authority on a port. */
export interface FoundHost {
  readonly hostname: string;
  /** Absent: only routes know the host. */
  readonly service?: MeshService;
  /** Objects whose routes are in force, the oldest first. */
  readonly objects: readonly RouteRule[];
  /** Those that can match this client and port; one for everything where there are no routes. */
  readonly rules: readonly HttpRule[];
}

/** A cluster and who is in it. */
export interface FoundPool {
  readonly cluster: string;
  readonly service: MeshService;
  readonly port: MeshService['ports'][number];
  readonly subset: string;
  readonly revision: string;
  /** Those that serve the port. */
  readonly endpoints: readonly Endpoint[];
}

/** The outbound side of one client, by the same scopes and indexes as the configuration of its sidecar. */
export class OutboundView {
  readonly client: Client;
  private readonly outbound: Outbound;
  private readonly snapshot: MeshSnapshot;

  constructor(snapshot: MeshSnapshot, { uid, name, namespace, serviceAccount }: Workload) {
    this.snapshot = snapshot;
    this.outbound = new Outbound(snapshot.settings);
    this.outbound.update(snapshot, wholeDelta(snapshot), new CacheChange(() => new Map()));
    this.client = this.outbound.clients.get({ uid, podName: name, namespace, serviceAccount });
  }

  /** The service of a name as the client resolves it; undefined: it sees none. */
  service(host: string): MeshService | undefined {
    const { scope, namespace } = this.client;
    for (const name of calledNames(this.snapshot.settings, namespace, host)) {
      const found = scope.service(name);
      if (found !== undefined) return this.aliased(found);
    }
    return undefined;
  }

  /** What becomes of a request's authority, as Envoy looks it up; undefined: nobody knows it. */
  host(port: number, authority: string): FoundHost | undefined {
    const { routes } = this.outbound;
    const domain = readAuthority(`${port}/${authority}`)?.domain ?? '';
    const read = readVirtualHost(routes.asked.answer(port, domain, this.client)?.name ?? '');
    if (read === undefined || read.part === 'unknown' || read.part === 'asked') return undefined;
    const { scope } = this.client;
    const named = scope.service(read.hostname);
    const target = named && this.aliased(named);
    // Names of single pods lead there, whatever routes say.
    if (read.part === 'pods' && target !== undefined) {
      return { hostname: read.hostname, service: target, objects: [], rules: [wholeRule(target.hostname, port)] };
    }
    const own = scope.rules(read.hostname);
    const objects = own.length > 0 || target === undefined ? own : scope.rules(target.hostname);
    const cut = cutHttpRules(mergeHttpRules(objects), port, scope.traits);
    const rules = cut.length > 0 || target === undefined ? cut : [wholeRule(target.hostname, port)];
    return {
      hostname: read.hostname,
      ...(target === undefined ? {} : { service: target }),
      objects: cut.length > 0 ? objects : [],
      rules,
    };
  }

  /** Rules for opaque connections to a service, the objects that they come from, and those with rules for TLS that passes through. */
  tcpRules({ hostname }: MeshService, port: number) {
    const { scope } = this.client;
    const objects = scope.rules(hostname);
    const all = objects.flatMap(({ tcp }) => tcp);
    return {
      objects,
      rules: cutTcpRules(all, port, scope.traits),
      byServerName: objects.filter(({ tls }) => cutTlsRules(tls, port, scope.traits).length > 0),
    };
  }

  /** How backends of routes on a port are resolved. */
  resolution(port: number): BackendResolution {
    return new BackendResolution(this.outbound, this.client.scope, port);
  }

  /** Whether the client's Sidecar leaves the port out for a service. */
  seesOnPort(service: MeshService, port: number): boolean {
    return this.client.scope.seesOnPort(service, port, 'any');
  }

  /** Who is behind a cluster; undefined for what is none of a service. */
  pool(cluster: string): FoundPool | undefined {
    const read = readOutboundCluster(cluster);
    const service = read && this.client.scope.service(read.hostname);
    const port = service && routablePorts(service).find((one) => one.port === read?.port);
    if (read === undefined || service === undefined || port === undefined) return undefined;
    const subset = this.policy(service)?.subsets.get(read.subset);
    if (read.subset !== '' && subset === undefined) return undefined;
    const all = this.snapshot.endpoints.get(service.key) ?? [];
    const found = buildDestination(service, port, all, subset).pools.find((pool) => pool.cluster === cluster);
    if (found === undefined) return undefined;
    const endpoints = found.endpoints.filter(({ ports }) => ports[port.name] !== undefined);
    return { cluster, service, port, subset: read.subset, revision: found.revision, endpoints };
  }

  /** The DestinationRules that are in force towards a service. */
  policy(service: MeshService) {
    return this.client.scope.policy(service);
  }

  private aliased(service: MeshService): MeshService | undefined {
    if (service.kind !== 'ExternalName') return service;
    const target = this.outbound.aliases.target(service.hostname);
    return target === undefined ? undefined : this.client.scope.service(target);
  }
}

function wholeRule(hostname: string, port: number): HttpRule {
  const backends = [{ hostname, port, weight: 100 }];
  return { name: '', matches: [], action: { kind: 'forward', backends }, mirrors: [] };
}
