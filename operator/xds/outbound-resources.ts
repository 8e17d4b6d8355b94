import type { Endpoint, Hostname, MeshService } from '../mesh/snapshot.ts';
import type { CacheChange } from './cache-change.ts';
import { translateBuiltinClusters } from './local-clusters.ts';
import { OUTBOUND_LISTENER } from './names.ts';
import { translateOutboundListener } from './outbound-listener.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, type XdsResource } from './resource.ts';
import { type ServiceResources, translateService } from './service-resources.ts';

/** The outbound side, common to all proxies: clusters, load assignments and the listener. */
export class OutboundResources {
  readonly clusters = new Map<string, XdsResource>();
  readonly assignments = new Map<string, XdsResource>();
  private readonly services = new Map<Hostname, ServiceResources>();
  private readonly listeners = new Map<boolean, XdsResource>();

  constructor() {
    for (const cluster of translateBuiltinClusters()) this.clusters.set(cluster.name, cluster);
  }

  get(hostname: Hostname): ServiceResources | undefined {
    return this.services.get(hostname);
  }

  hostnames(): IterableIterator<Hostname> {
    return this.services.keys();
  }

  /** The listener, encoded when first asked for. */
  listener(dualStack: boolean): XdsResource {
    const known = this.listeners.get(dualStack);
    if (known !== undefined) return known;
    // In the order of hostnames, so that the bytes do not depend on the order of events.
    const sorted = [...this.services].sort(([a], [b]) => (a < b ? -1 : 1));
    const built = translateOutboundListener(
      sorted.flatMap(([, resources]) => resources.targets),
      dualStack,
    );
    this.listeners.set(dualStack, built);
    return built;
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
    if (JSON.stringify(before?.targets ?? []) !== JSON.stringify(after?.targets ?? [])) {
      this.listeners.clear();
      change.addShared(LISTENER_TYPE, OUTBOUND_LISTENER);
    }
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
