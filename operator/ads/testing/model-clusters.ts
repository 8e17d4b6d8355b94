import { expect } from '@jest/globals';
import type { DeltaDiscoveryResponse } from '../../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { CLUSTER_TYPE, type ProxyIdentity } from '../../xds/resource.ts';
import type { XdsCache } from '../../xds/xds-cache.ts';
import type { WorkloadMemory } from '../workload-memory.ts';

/** Which clusters a proxy is to have though it did not ask for them on this stream, and not all proxies get them. */
export class ModelClusters {
  private names = new Set<string>();
  private readonly cache: XdsCache;
  private readonly proxy: ProxyIdentity;
  private readonly memory: WorkloadMemory;
  private readonly asked: () => Iterable<string>;

  /** @param asked gives those that the proxy has asked for */
  constructor(cache: XdsCache, proxy: ProxyIdentity, memory: WorkloadMemory, asked: () => Iterable<string>) {
    this.cache = cache;
    this.proxy = proxy;
    this.memory = memory;
    this.asked = asked;
  }

  get ahead(): Iterable<string> {
    return this.names;
  }

  /** A stream begins. @param held clusters that the proxy says it has */
  begin(held: readonly string[]): void {
    const asked = new Set(this.asked());
    this.names =
      held.length === 0
        ? new Set(this.memory.ahead(this.proxy, CLUSTER_TYPE).filter((name) => this.exists(name)))
        : new Set(held.filter((name) => !asked.has(name) && this.exists(name) && !this.isForAll(name)));
  }

  /** What the proxy asks for, or the mesh, differs: requests may go to others in place of what it has. These stay. */
  follow(): void {
    const used = [...this.asked(), ...this.names];
    for (const name of used) {
      for (const other of this.cache.companions(this.proxy, CLUSTER_TYPE, name)) {
        if (used.includes(other)) continue;
        this.names.add(other);
        used.push(other);
      }
    }
  }

  /** Takes in a response that is under way, with no cluster in it that the proxy has no use for. */
  take({ resources }: DeltaDiscoveryResponse): void {
    this.follow();
    const used = new Set([...this.asked(), ...this.names]);
    const useless = resources.filter(({ name }) => !used.has(name) && !this.isForAll(name));
    expect(useless.map(({ name }) => name)).toEqual([]);
  }

  private exists(cluster: string): boolean {
    return this.cache.lookup(this.proxy, CLUSTER_TYPE, cluster) !== undefined;
  }

  private isForAll(cluster: string): boolean {
    return this.cache.inWildcard(this.proxy, CLUSTER_TYPE, cluster);
  }
}
