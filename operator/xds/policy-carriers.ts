import type { ObjectKey } from '../mesh/object-ref.ts';
import type { ProxyIdentity } from './resource.ts';

/** Names one resource. */
export interface ResourceName {
  readonly typeUrl: string;
  readonly name: string;
}

/** In which resources policies of callers stand. */
export interface PolicyCarriers {
  /** Equal for proxies that are sent the same listeners and routes: what holds there of a policy for one holds for all, until the mesh changes. */
  kinOf(proxy: ProxyIdentity): string;
  /**
   * Resources in which a policy stands for a proxy, those among them that are to go from there; none where it has nothing to do with what this proxy
   * is sent.
   */
  carriersOf(proxy: ProxyIdentity, policy: ObjectKey): readonly ResourceName[];
  /**
   * Whether a version of a resource that a proxy has acknowledged shows the policy as it is now. A later change of something else in the same
   * resource does not matter.
   * @param version undefined: the proxy does not have the resource
   */
  isCurrent(proxy: ProxyIdentity, policy: ObjectKey, resource: ResourceName, version: string | undefined): boolean;
}
