import type { Endpoint, Hostname, MeshService } from '../mesh/snapshot.ts';
import type { CacheChange } from './cache-change.ts';
import { ListenerTable } from './listener-table.ts';
import { translateBuiltinClusters } from './local-clusters.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, type XdsResource } from './resource.ts';
import { type ServiceResources, translateService } from './service-resources.ts';

/** The outbound side, common to all proxies: clusters, load assignments and listeners. */
export class OutboundResources {
  readonly clusters = new Map<string, XdsResource>();
  readonly assignments = new Map<string, XdsResource>();
  private readonly services = new Map<Hostname, ServiceResources>();
  readonly listeners = new ListenerTable();

  constructor() {
    for (const cluster of translateBuiltinClusters()) this.clusters.set(cluster.name, cluster);
  }

  get(hostname: Hostname): ServiceResources | undefined {
    return this.services.get(hostname);
  }

  hostnames(): IterableIterator<Hostname> {
    return this.services.keys();
  }

  /** Takes the newest state of a service; undefined when it is gone. */
  set(hostname: Hostname, service: MeshService | undefined, endpoints: readonly Endpoint[], change: CacheChange): void {
    const before = this.services.get(hostname);
    const after = service === undefined ? undefined : translateService(service, endpoints, before);
    replaceAll(this.clusters, before?.clusters, after?.clusters, (name) => change.addShared(CLUSTER_TYPE, name));
    replaceAll(this.assignments, before?.assignments, after?.assignments, (name) =>
      change.addShared(ENDPOINT_TYPE, name),
    );
    if (after === undefined) this.services.delete(hostname);
    else this.services.set(hostname, after);
    for (const name of this.listeners.set(hostname, after?.targets ?? [])) change.addShared(LISTENER_TYPE, name);
  }
}

const NONE: ReadonlyMap<string, XdsResource> = new Map();

function replaceAll(
  table: Map<string, XdsResource>,
  before: ReadonlyMap<string, XdsResource> = NONE,
  after: ReadonlyMap<string, XdsResource> = NONE,
  changed: (name: string) => void,
): void {
  for (const name of before.keys()) {
    if (!after.has(name)) {
      table.delete(name);
      changed(name);
    }
  }
  for (const [name, resource] of after) {
    if (table.get(name)?.version === resource.version) continue;
    table.set(name, resource);
    changed(name);
  }
}
