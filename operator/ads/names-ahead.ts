import { CLUSTER_TYPE, type ProxyIdentity } from '../xds/resource.ts';
import type { DeltaRequest } from './request.ts';
import type { ResourceRegistry } from './resource-registry.ts';
import type { WorkloadMemory } from './workload-memory.ts';

/** Types of which a proxy may be sent resources when it first uses them: it asks for those by name. */
export const ON_DEMAND_TYPES: readonly string[] = [CLUSTER_TYPE];

const NOTHING: readonly string[] = [];

/** What one proxy is sent without asking, because pods of its workload asked for it. */
export class NamesAhead {
  private readonly proxy: ProxyIdentity;
  private readonly registry: ResourceRegistry;
  private readonly memory: WorkloadMemory | undefined;

  /** @param memory what workloads use; absent: nothing is remembered */
  constructor(proxy: ProxyIdentity, registry: ResourceRegistry, memory: WorkloadMemory | undefined) {
    this.proxy = proxy;
    this.registry = registry;
    this.memory = memory;
  }

  /**
   * Names to go on as if a proxy had asked for them, by its first request of a type. Of one that holds nothing: those that pods of its workload asked for
   * and that there are. Of one that comes back: those that it holds and would not without having been sent them ahead, for it asks again only for what it
   * asked for itself.
   */
  begin(request: DeltaRequest): readonly string[] {
    const { proxy, memory } = this;
    const { typeUrl, initialVersions } = request;
    if (!ON_DEMAND_TYPES.includes(typeUrl) || memory?.remembers(proxy) !== true) return NOTHING;
    const asked = new Set(request.subscribe);
    const names = initialVersions.size === 0 ? memory.ahead(proxy, typeUrl) : [...initialVersions.keys()];
    const ahead = names.flatMap((name) => {
      if (asked.has(name)) return NOTHING;
      if (initialVersions.size > 0 && this.registry.lookupInWildcard(proxy, typeUrl, name) !== undefined)
        return NOTHING;
      return this.registry.lookup(proxy, typeUrl, name)?.name ?? NOTHING;
    });
    if (initialVersions.size === 0) return ahead;
    // More than a memory holds was not sent ahead: the proxy was sent everything until now, and uses some of it.
    if (ahead.length > memory.bounds.namesOfWorkload) return NOTHING;
    memory.held(proxy, typeUrl, ahead);
    return ahead;
  }

  /** Notes names that the proxy asks for. What does not exist is not remembered: anybody can make up names. */
  asked(typeUrl: string, names: readonly string[]): void {
    const { proxy, memory } = this;
    if (names.length === 0 || !ON_DEMAND_TYPES.includes(typeUrl) || memory?.remembers(proxy) !== true) return;
    const existing = names.filter((name) => this.registry.lookup(proxy, typeUrl, name) !== undefined);
    memory.asked(proxy, typeUrl, existing);
  }
}
