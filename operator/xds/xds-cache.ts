import type { Hostname, MeshDelta, MeshSnapshot, WorkloadUid } from '../mesh/snapshot.ts';
import { AliasTable } from './aliases.ts';
import { CacheChange } from './cache-change.ts';
import { InboundTable, type ProxyView } from './inbound-resources.ts';
import { INBOUND_LISTENER, routeConfiguration, routeConfigurationPort } from './names.ts';
import { OutboundResources } from './outbound-resources.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  type ProxyIdentity,
  type ResourceChange,
  type ResourceSource,
  ROUTE_TYPE,
  type XdsResource,
} from './resource.ts';
import { RouteTable } from './route-table.ts';

const NO_RESOURCES: ReadonlyMap<string, XdsResource> = new Map();

/**
 * Translates mesh snapshots to Envoy's resources, each encoded once, and gives them to streams. The cost of an update follows what it alters;
 * what it gives is always what a new cache would give for the same snapshot.
 */
export class XdsCache implements ResourceSource {
  readonly typeUrls = [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE];
  private readonly outbound = new OutboundResources();
  private readonly inbound = new InboundTable();
  private readonly routes = new RouteTable();
  private readonly aliases = new AliasTable();
  private readonly listeners = new Set<(change: ResourceChange) => void>();
  /** Clusters per inbound side (by its key), common ones included. */
  private wildcardClusters = new Map<string, ReadonlyMap<string, XdsResource>>();
  private snapshot: MeshSnapshot | undefined;

  /**
   * Takes the next snapshot and tells the streams what differs.
   *
   * @param delta names what differs from the snapshot before; for the first one its content does not matter
   */
  update(snapshot: MeshSnapshot, delta: MeshDelta): void {
    const everything = this.snapshot === undefined || delta.settings;
    this.snapshot = snapshot;
    const change = new CacheChange();
    const hostnames = everything
      ? new Set<Hostname>([...this.outbound.hostnames(), ...snapshot.services.keys()])
      : new Set<Hostname>([...delta.services, ...delta.endpoints]);
    this.updateServices(snapshot, hostnames, change);
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
    const view = this.inbound.get(proxy.uid);
    switch (typeUrl) {
      case CLUSTER_TYPE:
        return this.allClusters(view);
      case ENDPOINT_TYPE:
        return new Map(this.outbound.assignments);
      case LISTENER_TYPE:
        return this.allListeners(view);
      case ROUTE_TYPE:
        return collect([...this.routes.all()].map((port) => this.routes.get(port, proxy.namespace)));
      default:
        return NO_RESOURCES;
    }
  }

  /** @inheritDoc */
  lookup(proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined {
    const view = this.inbound.get(proxy.uid);
    switch (typeUrl) {
      case CLUSTER_TYPE:
        return this.outbound.clusters.get(name) ?? view?.inbound.clusters.get(name);
      case ENDPOINT_TYPE:
        return this.outbound.assignments.get(name);
      case LISTENER_TYPE:
        if (name === INBOUND_LISTENER) return view?.inbound.listener;
        return this.outbound.listeners.get(name, view?.dualStack ?? false);
      case ROUTE_TYPE: {
        const port = routeConfigurationPort(name);
        return port === undefined ? undefined : this.routes.get(port, proxy.namespace);
      }
      default:
        return undefined;
    }
  }

  /** @inheritDoc */
  onChange(listener: (change: ResourceChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private updateServices(snapshot: MeshSnapshot, hostnames: ReadonlySet<Hostname>, change: CacheChange): void {
    for (const hostname of hostnames) {
      const service = snapshot.services.get(hostname);
      this.aliases.set(hostname, service);
      this.outbound.set(hostname, service, snapshot.endpoints.get(hostname) ?? [], change);
    }
    for (const hostname of this.aliases.withAliases(hostnames)) {
      const target = this.aliases.resolve(hostname, snapshot.services);
      const http = target === undefined ? [] : (this.outbound.get(target.hostname)?.http ?? []);
      for (const port of this.routes.set(hostname, snapshot.services.get(hostname), http)) {
        change.addShared(ROUTE_TYPE, routeConfiguration(port));
      }
    }
  }

  private updateWorkloads(snapshot: MeshSnapshot, uids: ReadonlySet<WorkloadUid>, change: CacheChange): void {
    for (const uid of uids) {
      const { before, changed } = this.inbound.set(uid, snapshot.workloads.get(uid));
      if (!changed) continue;
      const after = this.inbound.get(uid);
      const clusters = [...(before?.inbound.clusters.keys() ?? []), ...(after?.inbound.clusters.keys() ?? [])];
      for (const name of clusters) change.addOwn(uid, CLUSTER_TYPE, name);
      change.addOwn(uid, LISTENER_TYPE, INBOUND_LISTENER);
      if ((before?.dualStack ?? false) === (after?.dualStack ?? false)) continue;
      for (const name of this.outbound.listeners.names()) change.addOwn(uid, LISTENER_TYPE, name);
    }
  }

  private allListeners(view: ProxyView | undefined): ReadonlyMap<string, XdsResource> {
    const { listeners } = this.outbound;
    const outbound = listeners.names().map((name) => listeners.get(name, view?.dualStack ?? false));
    return collect([...outbound, view?.inbound.listener]);
  }

  private allClusters(view: ProxyView | undefined): ReadonlyMap<string, XdsResource> {
    const key = view?.key ?? '';
    const known = this.wildcardClusters.get(key);
    if (known !== undefined) return known;
    const all = new Map([...this.outbound.clusters, ...(view?.inbound.clusters ?? [])]);
    this.wildcardClusters.set(key, all);
    return all;
  }
}

function collect(resources: readonly (XdsResource | undefined)[]): Map<string, XdsResource> {
  const found = new Map<string, XdsResource>();
  for (const resource of resources) {
    if (resource !== undefined) found.set(resource.name, resource);
  }
  return found;
}
