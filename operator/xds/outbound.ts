import { TELEMETRY_KIND } from '../../api/telemetry.ts';
import { DestinationIndex } from '../mesh/destination-selection.ts';
import { coversHostname, hostnameOfKey, isWildcard } from '../mesh/hostname.ts';
import { type ObjectKey, objectKey } from '../mesh/object-ref.ts';
import { isHttp } from '../mesh/protocol.ts';
import type { Hostname, MeshDelta, MeshService, MeshSettings, MeshSnapshot, Workload } from '../mesh/snapshot.ts';
import { AliasTable } from './aliases.ts';
import { AuthorizerClusters } from './authorizer-clusters.ts';
import type { CacheChange } from './cache-change.ts';
import { findCarriers } from './carriers.ts';
import { type Client, Clients } from './clients.ts';
import { ClustersAlong } from './clusters-along.ts';
import { Distinctions } from './distinctions.ts';
import type { FoundCluster } from './found-cluster.ts';
import { HostIndex } from './host-index.ts';
import { ROUTED_HTTP_PORT } from './http-protocols.ts';
import { Lazy } from './lazy.ts';
import { ListenerTable } from './listener-table.ts';
import { translateBuiltinClusters } from './local-clusters.ts';
import { ofClusterHost, readOutboundCluster, routeConfiguration } from './names.ts';
import { OnDemandClusters } from './on-demand-clusters.ts';
import { type Touched, takeIn, withDependants } from './outbound-update.ts';
import type { ResourceName } from './policy-carriers.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
  type XdsResource,
} from './resource.ts';
import { routablePorts } from './routable-ports.ts';
import { RouteTable } from './route-table.ts';
import { RuleIndex } from './rule-index.ts';
import type { Scope } from './scope.ts';
import { ScopeMemo } from './scope-memo.ts';
import { ServiceTable } from './service-table.ts';
import type { ServiceVariant } from './service-variant.ts';
import { VersionLog } from './version-log.ts';
import { VirtualHostTable } from './virtual-host-table.ts';

/** The outbound side of all proxies: what is in the mesh, and what each scope of clients is sent of it. */
export class Outbound {
  readonly hosts = new HostIndex();
  readonly rules = new RuleIndex();
  readonly policies = new DestinationIndex();
  readonly aliases = new AliasTable();
  readonly distinctions = new Distinctions();
  readonly services: ServiceTable;
  readonly clients: Clients;
  readonly virtualHosts: VirtualHostTable;
  readonly routes: RouteTable;
  readonly listeners: ListenerTable;
  readonly onDemand: OnDemandClusters;
  readonly along: ClustersAlong;
  readonly authorizers: AuthorizerClusters;
  private readonly builtin = new Map(
    translateBuiltinClusters().map((cluster) => [cluster.name, new Lazy(() => cluster)]),
  );
  private readonly log = new VersionLog();
  /** Policy → state of the mesh in which it last became another. */
  private readonly changedIn = new Map<ObjectKey, number>();
  /** By scope and policy, of the present state of the mesh. */
  private readonly carriersOf = new Map<Scope, Map<ObjectKey, readonly ResourceName[]>>();
  /** What was looked up in the present state of the mesh. */
  private readonly found = new ScopeMemo<FoundCluster>();
  private snapshot: MeshSnapshot | undefined;

  constructor(settings: MeshSettings) {
    this.services = new ServiceTable(settings.meshMTLS?.minProtocolVersion);
    const { hosts, rules, policies, services } = this;
    this.authorizers = new AuthorizerClusters({ settings, hosts, policies, services });
    this.clients = new Clients(
      { settings, hosts, rules, policies },
      this.distinctions,
      (key) => this.snapshot?.sidecars.get(key),
      (uid): Workload | undefined => this.snapshot?.workloads.get(uid),
    );
    this.virtualHosts = new VirtualHostTable(this, this.log);
    this.routes = new RouteTable(this.virtualHosts, () => (this.snapshot?.sidecars.size ?? 0) > 0);
    this.listeners = new ListenerTable(this, this.log, this.clients);
    this.onDemand = new OnDemandClusters(this, (hostname, scope) => this.serviceOf(hostname, scope));
    this.along = new ClustersAlong(this, this.onDemand);
  }

  /** Takes the next snapshot, and tells the change which resources may differ for whom. */
  update(snapshot: MeshSnapshot, delta: MeshDelta, change: CacheChange): void {
    this.snapshot = snapshot;
    this.log.state += 1;
    this.carriersOf.clear();
    this.found.forget();
    this.along.forget();
    this.onDemand.forget();
    const touched = takeIn(this, snapshot, delta);
    this.regroup(delta, touched, change);
    const affected = new Set<Hostname>(touched.routes);
    const served = new Set<Hostname>();
    for (const key of touched.services) {
      const service = snapshot.services.get(key);
      const hostname = service?.hostname ?? hostnameOfKey(key);
      const { routing } = this.services.set(
        key,
        service,
        snapshot.endpoints.get(key) ?? [],
        this.clients.all(),
        touched.policies.has(hostname) || touched.contested.has(hostname),
        (typeUrl, name) => change.addShared(typeUrl, name),
      );
      served.add(hostname);
      if (routing) affected.add(hostname);
    }
    this.authorizers.update(touched.services, (typeUrl, name) => change.addShared(typeUrl, name));
    for (const hostname of touched.policies) affected.add(hostname);
    if (this.clients.anyOnDemand) {
      const reached = new Set([...affected, ...touched.destinations]);
      for (const name of this.onDemand.mayDiffer(reached, this.clients.all())) change.addShared(CLUSTER_TYPE, name);
    }
    this.noteChanges(delta, affected);
    const routed = withDependants(this, affected);
    for (const hostname of routed) {
      const claimants = this.hosts.claimants(hostname);
      this.routes.set(hostname, this.routePorts(hostname), claimants, (type, name) => change.addShared(type, name));
    }
    for (const hostname of new Set([...served, ...routed])) {
      for (const name of this.listeners.set(hostname, this.listenerPorts(hostname, touched))) {
        change.addShared(LISTENER_TYPE, name);
      }
    }
  }

  /** Whether a version of a route configuration or a listener is of a state of the mesh in which the policy was already what it is now. */
  isSince(version: string, policy: ObjectKey): boolean {
    return this.log.isSince(version, this.changedIn.get(policy) ?? 0);
  }

  /** Resources in which a policy stands for a client (see `findCarriers`). */
  carriers(client: Client, policy: ObjectKey): readonly ResourceName[] {
    const known = this.carriersOf.get(client.scope) ?? new Map<ObjectKey, readonly ResourceName[]>();
    this.carriersOf.set(client.scope, known);
    const found = known.get(policy) ?? findCarriers(this, client, policy);
    known.set(policy, found);
    return found;
  }

  cluster(name: string, client: Client): XdsResource | undefined {
    return (this.builtin.get(name) ?? this.find(name, client.scope)?.cluster)?.value;
  }

  assignment(name: string, client: Client): XdsResource | undefined {
    return this.find(name, client.scope)?.assignment?.for(client);
  }

  /** Clusters that a client is sent without having asked for them one by one. */
  clustersUnasked(client: Client): Map<string, Lazy<XdsResource>> {
    const found = new Map(this.builtin);
    for (const service of this.visible(client.scope)) {
      if (client.onDemand && this.onDemand.includesAll(service)) continue;
      for (const [name, cluster] of this.services.variant(client.scope, service).clusters) {
        if (!this.onDemand.includes(name, client)) found.set(name, cluster);
      }
    }
    return found;
  }

  allAssignments(client: Client): Map<string, XdsResource> {
    const found = new Map<string, XdsResource>();
    for (const service of this.visible(client.scope)) {
      for (const [name, assignment] of this.services.variant(client.scope, service).assignments) {
        found.set(name, assignment.for(client));
      }
    }
    return found;
  }

  /** Names of everything that anybody may have who has asked, or who is of a scope, by type. */
  names(scope: Scope): Map<string, Set<string>> {
    // Names are of what was built.
    for (const service of this.visible(scope)) this.services.variant(scope, service);
    const { clusters, assignments } = this.services.names();
    for (const name of this.authorizers.names()) for (const names of [clusters, assignments]) names.add(name);
    return new Map([
      [CLUSTER_TYPE, clusters],
      [ENDPOINT_TYPE, assignments],
      [LISTENER_TYPE, new Set(this.listeners.names([...this.clients.all(), scope]))],
      [ROUTE_TYPE, new Set([...this.routes.all()].map(routeConfiguration))],
      [VIRTUAL_HOST_TYPE, new Set([...this.routes.all()].flatMap((port) => [...this.routes.names(port)]))],
    ]);
  }

  /** Sorts clients into scopes as they are to be told apart now, and makes the scopes forget what may have changed. */
  private regroup(delta: MeshDelta, { services, policies, routes, destinations }: Touched, change: CacheChange): void {
    for (const key of delta.sidecars) this.clients.dropSidecar(key);
    // Before all are sorted anew, so that it shows who became another.
    const uids = new Set(delta.workloads);
    if (delta.sidecars.size > 0) {
      for (const uid of this.clients.uids()) {
        const sidecar = this.snapshot?.workloads.get(uid)?.sidecar;
        if (sidecar !== undefined && delta.sidecars.has(sidecar)) uids.add(uid);
      }
    }
    for (const uid of uids) {
      if (!this.clients.refresh(uid)) continue;
      change.addWhole(uid);
      this.routes.asked.forget();
    }
    if (this.clients.regroup() || delta.sidecars.size > 0) {
      this.routes.regroup();
      this.listeners.regroup();
    }
    const hostnames = new Set([...policies, ...routes, ...destinations]);
    for (const key of services) hostnames.add(hostnameOfKey(key));
    for (const scope of this.clients.all()) scope.forget(hostnames);
  }

  private noteChanges(delta: MeshDelta, affected: ReadonlySet<Hostname>): void {
    const { state } = this.log;
    const note = (key: ObjectKey, exists: boolean) => {
      if (exists) this.changedIn.set(key, state);
      else this.changedIn.delete(key);
    };
    for (const key of delta.routeRules) {
      note(key, this.rules.get(key) !== undefined);
      for (const part of this.rules.get(key)?.delegates ?? []) note(part, true);
    }
    for (const key of delta.destinationPolicies) note(key, this.policies.get(key) !== undefined);
    for (const key of delta.sidecars) note(key, this.snapshot?.sidecars.has(key) ?? false);
    for (const key of delta.policies) {
      if (key.startsWith(`${TELEMETRY_KIND}/`)) note(key, this.snapshot?.policies.has(key) ?? false);
    }
    // What routes to a service look like, and with it how a Canary splits it, is a matter of its endpoints too.
    for (const hostname of affected) {
      for (const { object, split } of this.hosts.claimants(hostname)) {
        note(objectKey(object), true);
        if (split !== undefined) note(objectKey(split.canary), true);
      }
    }
  }

  private find(name: string, scope: Scope): FoundCluster | undefined {
    const known = this.found.get(scope, name);
    if (known !== undefined) return known;
    const variant = this.findVariant(name, scope);
    const cluster = variant?.clusters.get(name);
    // Names that mean nothing are anybody's to make up: they are not remembered.
    if (cluster === undefined) return undefined;
    const found: FoundCluster = { cluster, assignment: variant?.assignments.get(name) };
    this.found.set(scope, name, found);
    return found;
  }

  private findVariant(name: string, scope: Scope): ServiceVariant | undefined {
    const hostname = readOutboundCluster(name)?.hostname;
    const service = hostname === undefined ? undefined : this.serviceOf(hostname, scope);
    return service && this.services.variant(scope, service);
  }

  private serviceOf(hostname: Hostname, scope: Scope): MeshService | undefined {
    return ofClusterHost(hostname, (name) => scope.service(name));
  }

  private *visible(scope: Client['scope']): Generator<MeshService> {
    for (const hostname of this.hosts.hostnames()) {
      const service = scope.service(hostname);
      if (service !== undefined) yield service;
    }
  }

  /** Ports on which somebody may have routes for a hostname. */
  routePorts(hostname: Hostname): Set<number> {
    const ports = new Set<number>();
    const target = this.aliases.target(hostname);
    const ofTarget = target === undefined ? [] : this.hosts.claimants(target);
    const claimants = [...this.hosts.claimants(hostname), ...ofTarget];
    // An ExternalName has no ports of its own; without a claimant of the name itself nobody knows it.
    if (this.hosts.claimants(hostname).length > 0) {
      for (const service of claimants) {
        for (const { port, protocol } of routablePorts(service)) if (isHttp(protocol)) ports.add(port);
      }
    }
    if (this.rules.forHost(hostname).length > 0 && !this.coversService(hostname)) ports.add(ROUTED_HTTP_PORT);
    return ports;
  }

  /** The host itself, and the hostnames of services that it covers. */
  *covered(host: Hostname): Generator<Hostname> {
    yield host;
    if (!isWildcard(host)) return;
    for (const name of this.hosts.hostnames()) if (coversHostname(host, name) && name !== host) yield name;
  }

  private coversService(host: Hostname): boolean {
    for (const hostname of this.covered(host)) if (hostname !== host) return true;
    return false;
  }

  private listenerPorts(hostname: Hostname, { formerPorts }: Touched): Set<number> {
    const now = this.hosts.claimants(hostname).flatMap((service) => routablePorts(service).map(({ port }) => port));
    return new Set([...now, ...(formerPorts.get(hostname) ?? [])]);
  }
}
