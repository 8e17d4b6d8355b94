import type { CanaryFacts } from './canary.ts';
import type { PeerAuthenticationFacts } from './peer-authentication.ts';
import type { PodFacts } from './pod.ts';
import type { ServiceFacts } from './service.ts';
import type { MeshTables } from './tables.ts';

/**
 * What is to be built again after some facts changed. Each `mark` is told the facts before and after a change, and finds
 * through the indexes what depends on them; of any pair of related objects the later change sees the other's final facts,
 * so the order of changes does not matter.
 */
export class DirtySet {
  /** UIDs. */
  readonly pods = new Set<string>();
  /** `namespace/name`. */
  readonly services = new Set<string>();
  /** `namespace/name`. */
  readonly canaries = new Set<string>();
  /** `namespace/name`. */
  readonly peerAuthentications = new Set<string>();
  readonly #tables: MeshTables;

  constructor(tables: MeshTables) {
    this.#tables = tables;
  }

  /** Its workload, the endpoints it is, and, if it is a Canary's, the splits it takes part in. */
  markPod(pod: PodFacts): void {
    this.pods.add(pod.uid);
    this.markHolders(pod);
    const canaries = this.#tables.canaries.find('target', pod.ownerKey);
    for (const key of canaries) this.canaries.add(key);
    if (canaries.size > 0) for (const { key } of this.#tables.servicesSelecting(pod)) this.services.add(key);
    if (pod.injected) this.markNamespace(pod.namespace);
  }

  /** The Services of which a pod is an endpoint. */
  markHolders(pod: Pick<PodFacts, 'uid' | 'key'>): void {
    for (const key of this.#tables.servicesHolding(pod)) this.services.add(key);
  }

  /** The Service, and the inbound ports of the pods it selects. */
  markService(service: ServiceFacts): void {
    this.services.add(service.key);
    for (const { uid } of this.#tables.podsSelectedBy(service)) this.pods.add(uid);
  }

  /** Locality and readiness of a node touch the pods on it. */
  markNode(name: string): void {
    for (const pod of this.#tables.pods.select('node', name)) {
      this.pods.add(pod.uid);
      this.markHolders(pod);
    }
  }

  /** Whether a namespace is ours decides over the status of its policies. */
  markNamespace(namespace: string): void {
    for (const key of this.#tables.peerAuthentications.find('namespace', namespace)) this.peerAuthentications.add(key);
  }

  /** The split of every Service over the target's pods, and the other Canaries of the target. */
  markCanary(canary: CanaryFacts): void {
    this.canaries.add(canary.key);
    for (const key of this.#tables.canaries.find('target', canary.target)) this.canaries.add(key);
    for (const pod of this.#tables.pods.select('owner', canary.target)) {
      for (const { key } of this.#tables.servicesSelecting(pod)) this.services.add(key);
    }
  }

  /** The pods it may apply to, and the other policies of its namespace, with which it may be in conflict. */
  markPeerAuthentication(policy: PeerAuthenticationFacts, rootNamespace: string): void {
    this.peerAuthentications.add(policy.key);
    this.markNamespace(policy.ref.namespace);
    const pods = this.#tables.pods;
    const { selector, ref } = policy;
    const selective = Object.keys(selector).length > 0;
    const inRoot = ref.namespace === rootNamespace;
    if (selective && inRoot) return;
    const affected = selective
      ? this.#tables.podsSelectedBy({ namespace: ref.namespace, selector })
      : inRoot
        ? pods.values()
        : pods.select('namespace', ref.namespace);
    for (const { uid, injected, meshTls } of affected) if (injected || meshTls) this.pods.add(uid);
  }
}
