import { CLUSTER_TYPE, type ProxyIdentity, VIRTUAL_HOST_TYPE } from '../xds/resource.ts';
import type { DeltaRequest } from './request.ts';
import type { ResourceRegistry } from './resource-registry.ts';
import type { WorkloadMemory } from './workload-memory.ts';

/** Types of which a proxy may be sent resources when it first uses them: it asks for those by name. */
export const ON_DEMAND_TYPES: readonly string[] = [CLUSTER_TYPE, VIRTUAL_HOST_TYPE];

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
    const mayBeAhead = (name: string): boolean =>
      !asked.has(name) && (initialVersions.size === 0 || !this.isForAll(typeUrl, name));
    const ahead = this.existing(typeUrl, names.filter(mayBeAhead));
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
    memory.asked(proxy, typeUrl, this.existing(typeUrl, names));
  }

  /**
   * Those of names of a type that there are now and that pods may have asked for, as the resources have them: streams keep these. Of virtual hosts those of
   * one host, whose names are among those that they answer: with one of a wildcard more would have to go, and one of an unknown host is for who asked.
   */
  existing(typeUrl: string, names: readonly string[]): string[] {
    return names.flatMap((name) => this.find(typeUrl, name) ?? NOTHING);
  }

  /** Whether the proxy is sent a resource without asking. Virtual hosts it is not, or it would not have them one by one. */
  private isForAll(typeUrl: string, name: string): boolean {
    return typeUrl !== VIRTUAL_HOST_TYPE && this.registry.lookupInWildcard(this.proxy, typeUrl, name) !== undefined;
  }

  private find(typeUrl: string, name: string): string | undefined {
    const { proxy, registry } = this;
    if (typeUrl !== VIRTUAL_HOST_TYPE) return registry.lookup(proxy, typeUrl, name)?.name;
    const answer = registry.answer(proxy, typeUrl, name);
    return answer?.kind === 'some' && answer.name === name ? answer.name : undefined;
  }
}
