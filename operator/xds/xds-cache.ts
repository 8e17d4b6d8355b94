import type { ObjectKey } from '../mesh/object-ref.ts';
import type { MeshDelta, MeshSnapshot, WorkloadUid } from '../mesh/snapshot.ts';
import { CacheChange } from './cache-change.ts';
import type { Client } from './clients.ts';
import { findOutbound } from './find-outbound.ts';
import { InboundTable, type ProxyView } from './inbound-resources.ts';
import type { Lazy } from './lazy.ts';
import { INBOUND_LISTENER, readAuthority, readVirtualHost, routeConfigurationPort, unknownHost } from './names.ts';
import { Outbound } from './outbound.ts';
import type { PolicyCarriers, ResourceName } from './policy-carriers.ts';
import {
  type Answer,
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  type ProxyIdentity,
  type ResourceChange,
  type ResourceSource,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
  type XdsResource,
} from './resource.ts';
import type { Scope } from './scope.ts';
import { wholeDelta } from './whole-delta.ts';

const NO_RESOURCES: ReadonlyMap<string, XdsResource> = new Map();

/**
 * Translates mesh snapshots to Envoy's resources, each encoded once, and gives them to streams. The cost of an update follows what it alters;
 * what it gives is always what a new cache would give for the same snapshot.
 */
export class XdsCache implements ResourceSource, PolicyCarriers {
  readonly typeUrls = [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE];
  private outbound: Outbound | undefined;
  /** How often all was made anew. */
  private settingsState = 0;
  private readonly inbound = new InboundTable();
  private readonly listeners = new Set<(change: ResourceChange) => void>();
  /** Clusters of the outbound side by scope. With those of its inbound side, each proxy has others, which are not worth the memory. */
  private wildcardClusters = new Map<string, ReadonlyMap<string, Lazy<XdsResource>>>();
  /** The proxy that was looked something up for last: one that joins is, for thousands of names on end. */
  private asking:
    | { readonly proxy: ProxyIdentity; readonly client: Client; readonly view: ProxyView | undefined }
    | undefined;

  /**
   * Takes the next snapshot and tells the streams what differs.
   *
   * @param delta names what differs from the snapshot before; for the first one its content does not matter
   */
  update(snapshot: MeshSnapshot, delta: MeshDelta): void {
    this.asking = undefined;
    const everything = this.outbound === undefined || delta.settings;
    const outbound = this.outbound === undefined || delta.settings ? new Outbound(snapshot.settings) : this.outbound;
    if (everything) this.settingsState += 1;
    this.outbound = outbound;
    const names = new Map<Scope, ReturnType<Outbound['names']>>();
    const change = new CacheChange((proxy) => {
      const { scope } = outbound.clients.peek(proxy);
      const known = names.get(scope) ?? outbound.names(scope);
      names.set(scope, known);
      return known;
    });
    outbound.update(snapshot, everything ? wholeDelta(snapshot) : delta, change);
    const uids = everything
      ? new Set<WorkloadUid>([...this.inbound.uids(), ...snapshot.workloads.keys()])
      : delta.workloads;
    this.updateWorkloads(snapshot, uids, change);
    if (change.empty) return;
    this.wildcardClusters = new Map();
    for (const listener of this.listeners) listener(change);
  }

  /** @inheritDoc */
  wildcard(proxy: ProxyIdentity, typeUrl: string): ReadonlyMap<string, XdsResource> {
    const { outbound } = this;
    if (outbound === undefined) return NO_RESOURCES;
    const client = outbound.clients.get(proxy);
    const view = this.inbound.get(proxy.uid);
    switch (typeUrl) {
      case CLUSTER_TYPE:
        return this.allClusters(outbound, proxy, view);
      case ENDPOINT_TYPE:
        return new Map([...outbound.allAssignments(client), ...authorizerAssignments(outbound, client, view)]);
      case LISTENER_TYPE:
        return collect([
          ...outbound.listeners.names([client.scope]).map((name) => outbound.listeners.get(name, client)),
          view?.inbound.listener,
        ]);
      case ROUTE_TYPE:
        return collect([...outbound.routes.all()].map((port) => outbound.routes.configuration(port)));
      case VIRTUAL_HOST_TYPE:
        return collect(
          [...outbound.routes.all()]
            .flatMap((port) => [...outbound.routes.names(port)])
            .map((name) => outbound.routes.host(name, client)),
        );
      default:
        return NO_RESOURCES;
    }
  }

  /** @inheritDoc */
  wildcardNames(proxy: ProxyIdentity, typeUrl: string): Iterable<string> {
    const { outbound } = this;
    if (typeUrl !== CLUSTER_TYPE || outbound === undefined) return this.wildcard(proxy, typeUrl).keys();
    const { client, view } = this.who(outbound, proxy);
    const own = [...(view?.inbound.clusters.keys() ?? []), ...(view?.inbound.authorizers ?? [])];
    return [...this.sharedClusters(outbound, client).keys(), ...own];
  }

  /** @inheritDoc */
  lookup(proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined {
    const { outbound } = this;
    if (outbound === undefined) return undefined;
    const { client, view } = this.who(outbound, proxy);
    if (typeUrl === LISTENER_TYPE && name === INBOUND_LISTENER) return view?.inbound.listener;
    if (view?.inbound.authorizers.includes(name)) return findAuthorizer(outbound, client, typeUrl, name);
    const found = findOutbound(outbound, client, typeUrl, name);
    return found ?? (typeUrl === CLUSTER_TYPE ? view?.inbound.clusters.get(name) : undefined);
  }

  /** @inheritDoc */
  inWildcard(proxy: ProxyIdentity, typeUrl: string, name: string): boolean {
    if (this.outbound === undefined) return true;
    if (typeUrl === VIRTUAL_HOST_TYPE) return readVirtualHost(name)?.part !== 'asked';
    if (typeUrl !== CLUSTER_TYPE) return true;
    // It is asked of proxies of other replicas too.
    const client = this.asking?.proxy === proxy ? this.asking.client : this.outbound.clients.peek(proxy);
    return !this.outbound.onDemand.includes(name, client);
  }

  /** @inheritDoc */
  isOneByOne(proxy: ProxyIdentity, typeUrl: string): boolean {
    const isOnDemand = typeUrl === VIRTUAL_HOST_TYPE || typeUrl === CLUSTER_TYPE;
    return isOnDemand && this.outbound?.clients.get(proxy).onDemand === true;
  }

  /** @inheritDoc */
  answer(proxy: ProxyIdentity, typeUrl: string, asked: string): Answer | undefined {
    const read = typeUrl === VIRTUAL_HOST_TYPE ? readAuthority(asked) : undefined;
    if (read === undefined) return undefined;
    return this.outbound?.routes.asked.answer(read.port, read.domain, this.outbound.clients.get(proxy));
  }

  /** @inheritDoc */
  answersState(): number {
    return this.settingsState * 2 ** 32 + (this.outbound?.routes.asked.state ?? 0);
  }

  /** @inheritDoc */
  companions(proxy: ProxyIdentity, typeUrl: string, name: string): readonly string[] {
    const { outbound } = this;
    if (outbound === undefined) return [];
    if (typeUrl === CLUSTER_TYPE) return outbound.along.names(name, this.who(outbound, proxy).client);
    return typeUrl === VIRTUAL_HOST_TYPE ? outbound.routes.asked.companions(name, outbound.clients.get(proxy)) : [];
  }

  /** @inheritDoc */
  fallback(typeUrl: string, collection: string): string | undefined {
    const port = typeUrl === VIRTUAL_HOST_TYPE ? routeConfigurationPort(collection) : undefined;
    return port === undefined ? undefined : unknownHost(port);
  }

  /** @inheritDoc */
  members(typeUrl: string, collection: string): Iterable<string> {
    const port = typeUrl === VIRTUAL_HOST_TYPE ? routeConfigurationPort(collection) : undefined;
    return port === undefined ? [] : (this.outbound?.routes.names(port) ?? []);
  }

  /** @inheritDoc */
  kinOf(proxy: ProxyIdentity): string {
    return this.outbound?.clients.peek(proxy).kin ?? '';
  }

  /** @inheritDoc */
  carriersOf(proxy: ProxyIdentity, policy: ObjectKey): readonly ResourceName[] {
    const { outbound } = this;
    if (outbound === undefined) return [];
    const client = outbound.clients.peek(proxy);
    const reached = new Map<number, boolean>();
    const found = outbound.carriers(client, policy).filter(({ typeUrl, name }) => {
      const port = typeUrl === VIRTUAL_HOST_TYPE ? readVirtualHost(name)?.port : undefined;
      if (port === undefined) return true;
      // Routes that no listener of the client leads to are never asked for, and so never acknowledged.
      const isReached = reached.get(port) ?? outbound.listeners.hasHttp(port, client);
      reached.set(port, isReached);
      return isReached;
    });
    const stands = found.some(({ typeUrl, name }) => findOutbound(outbound, client, typeUrl, name) !== undefined);
    return stands ? found : [];
  }

  /** @inheritDoc */
  isCurrent(
    proxy: ProxyIdentity,
    policy: ObjectKey,
    { typeUrl, name }: ResourceName,
    version: string | undefined,
  ): boolean {
    const { outbound } = this;
    if (outbound === undefined) return false;
    // What a proxy asks for when it is first used it gets as it is then.
    if (version === undefined && this.isOnDemand(outbound, proxy, typeUrl, name)) return true;
    const newest = findOutbound(outbound, outbound.clients.peek(proxy), typeUrl, name);
    if (newest === undefined || version === undefined) return newest?.version === version;
    return newest.version === version || outbound.isSince(version, policy);
  }

  /** @inheritDoc */
  onChange(listener: (change: ResourceChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private who(outbound: Outbound, proxy: ProxyIdentity) {
    if (this.asking?.proxy !== proxy) {
      this.asking = { proxy, client: outbound.clients.get(proxy), view: this.inbound.get(proxy.uid) };
    }
    return this.asking;
  }

  private updateWorkloads(snapshot: MeshSnapshot, uids: ReadonlySet<WorkloadUid>, change: CacheChange): void {
    for (const uid of uids) {
      const { before, changed } = this.inbound.set(uid, snapshot.workloads.get(uid), snapshot.settings);
      if (!changed) continue;
      const after = this.inbound.get(uid);
      const clusters = [...(before?.inbound.clusters.keys() ?? []), ...(after?.inbound.clusters.keys() ?? [])];
      for (const name of clusters) change.addOwn(uid, CLUSTER_TYPE, name);
      for (const name of [...(before?.inbound.authorizers ?? []), ...(after?.inbound.authorizers ?? [])]) {
        change.addOwn(uid, CLUSTER_TYPE, name);
        change.addOwn(uid, ENDPOINT_TYPE, name);
      }
      change.addOwn(uid, LISTENER_TYPE, INBOUND_LISTENER);
    }
  }

  private allClusters(
    outbound: Outbound,
    proxy: ProxyIdentity,
    view: ProxyView | undefined,
  ): ReadonlyMap<string, XdsResource> {
    const shared = this.sharedClusters(outbound, outbound.clients.get(proxy));
    const all = new Map([...shared].map(([name, { value }]) => [name, value]));
    for (const [name, cluster] of view?.inbound.clusters ?? []) all.set(name, cluster);
    for (const name of view?.inbound.authorizers ?? []) {
      const found = outbound.authorizers.find(name);
      if (found !== undefined) all.set(name, found.cluster.value);
    }
    return all;
  }

  private sharedClusters(outbound: Outbound, client: Client): ReadonlyMap<string, Lazy<XdsResource>> {
    const key = `${client.onDemand} ${client.scope.key}`;
    const shared = this.wildcardClusters.get(key) ?? outbound.clustersUnasked(client);
    this.wildcardClusters.set(key, shared);
    return shared;
  }

  private isOnDemand(outbound: Outbound, proxy: ProxyIdentity, typeUrl: string, name: string): boolean {
    const client = outbound.clients.peek(proxy);
    if (typeUrl === VIRTUAL_HOST_TYPE) return client.onDemand;
    // Endpoints are asked for with their cluster.
    if (typeUrl !== CLUSTER_TYPE && typeUrl !== ENDPOINT_TYPE) return false;
    return outbound.onDemand.includes(name, client);
  }
}

/** A cluster of whom the inbound side asks, or its endpoints. */
function findAuthorizer(outbound: Outbound, client: Client, typeUrl: string, name: string): XdsResource | undefined {
  const found = outbound.authorizers.find(name);
  if (typeUrl === CLUSTER_TYPE) return found?.cluster.value;
  return typeUrl === ENDPOINT_TYPE ? found?.assignment?.for(client) : undefined;
}

function authorizerAssignments(outbound: Outbound, client: Client, view: ProxyView | undefined) {
  const names = view?.inbound.authorizers ?? [];
  return collect(names.map((name) => findAuthorizer(outbound, client, ENDPOINT_TYPE, name)));
}

function collect(resources: readonly (XdsResource | undefined)[]): Map<string, XdsResource> {
  const found = new Map<string, XdsResource>();
  for (const resource of resources) {
    if (resource !== undefined) found.set(resource.name, resource);
  }
  return found;
}
