import type { CanaryFacts } from './canary.ts';
import type { PeerAuthenticationFacts } from './peer-authentication.ts';
import type { PodFacts } from './pod.ts';
import { type Labels, matchSelector } from './selector.ts';
import type { ServiceFacts } from './service.ts';
import type { ServiceEntryFacts } from './service-entry.ts';
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
  /** `namespace/name`. */
  readonly authorizationPolicies = new Set<string>();
  /** `namespace/name`. */
  readonly requestAuthentications = new Set<string>();
  /** `namespace/name`. */
  readonly rateLimitPolicies = new Set<string>();
  /** `namespace/name`, as all that follow unless they say otherwise. */
  readonly virtualServices = new Set<string>();
  readonly destinationRules = new Set<string>();
  readonly serviceEntries = new Set<string>();
  readonly workloadEntries = new Set<string>();
  readonly sidecars = new Set<string>();
  readonly telemetries = new Set<string>();
  /** Policies that are, or were, in a namespace that is not discovered, by `kind/namespace/name`. */
  readonly undiscovered = new Set<string>();
  /** Services of ServiceEntries, by `namespace/hostname`. */
  readonly entryHosts = new Set<string>();
  /** Hostnames at which a service came, changed or went: who refers to them is judged again. */
  readonly hostnames = new Set<string>();
  /** Hosts of VirtualServices that changed: whose rules for the same host are in conflict is judged again. */
  readonly routedHosts = new Set<string>();
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
    // Whether the namespace is ours turns with its first injected pod and with its last.
    const injected = this.#tables.pods.find('injected', pod.namespace).size;
    if (pod.injected && injected <= 1) this.markNamespace(pod.namespace);
  }

  /** The Services and ServiceEntries of which a pod is an endpoint. */
  markHolders(pod: PodFacts): void {
    for (const key of this.#tables.servicesHolding(pod)) this.services.add(key);
    for (const entry of this.#tables.entriesSelecting(pod.namespace, pod.labels)) this.markEntry(entry);
  }

  /** A ServiceEntry's status, and the services it stands for. */
  markEntry({ key, ref, hosts }: Pick<ServiceEntryFacts, 'key' | 'ref' | 'hosts'>): void {
    this.serviceEntries.add(key);
    for (const host of hosts) this.entryHosts.add(`${ref.namespace}/${host}`);
  }

  /** The Service, the inbound ports of the pods it selects, and the status of the WorkloadEntries. */
  markService(service: ServiceFacts): void {
    this.services.add(service.key);
    for (const { uid } of this.#tables.podsSelectedBy(service)) this.pods.add(uid);
    for (const key of this.#tables.authorizationPolicies.find('target', service.key))
      this.authorizationPolicies.add(key);
    for (const key of this.#tables.requestAuthentications.find('target', service.key))
      this.requestAuthentications.add(key);
    for (const key of this.#tables.rateLimitPolicies.find('target', service.key)) this.rateLimitPolicies.add(key);
    for (const key of this.#tables.telemetries.find('target', service.key)) this.telemetries.add(key);
    const entries = this.#tables.workloadEntriesSelectedBy(service.namespace, service.selector);
    for (const { key } of entries) this.workloadEntries.add(key);
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
    const { peerAuthentications, authorizationPolicies, requestAuthentications, rateLimitPolicies } = this.#tables;
    const { virtualServices, destinationRules, serviceEntries, workloadEntries, sidecars, telemetries, undiscovered } =
      this.#tables;
    for (const key of peerAuthentications.find('namespace', namespace)) this.peerAuthentications.add(key);
    for (const key of authorizationPolicies.find('namespace', namespace)) this.authorizationPolicies.add(key);
    for (const key of requestAuthentications.find('namespace', namespace)) this.requestAuthentications.add(key);
    for (const key of rateLimitPolicies.find('namespace', namespace)) this.rateLimitPolicies.add(key);
    for (const key of virtualServices.find('namespace', namespace)) this.virtualServices.add(key);
    for (const key of destinationRules.find('namespace', namespace)) this.destinationRules.add(key);
    for (const key of serviceEntries.find('namespace', namespace)) this.serviceEntries.add(key);
    for (const key of workloadEntries.find('namespace', namespace)) this.workloadEntries.add(key);
    for (const key of sidecars.find('namespace', namespace)) this.sidecars.add(key);
    for (const key of telemetries.find('namespace', namespace)) this.telemetries.add(key);
    for (const key of undiscovered.find('namespace', namespace)) this.undiscovered.add(key);
  }

  /** The split of every Service over the target's pods, and the other Canaries of the target. */
  markCanary(canary: CanaryFacts): void {
    this.canaries.add(canary.key);
    for (const key of this.#tables.canaries.find('target', canary.target)) this.canaries.add(key);
    for (const pod of this.#tables.pods.select('owner', canary.target)) {
      for (const { key } of this.#tables.servicesSelecting(pod)) this.services.add(key);
    }
  }

  /** The pods and other workloads it may apply to, and the other policies of its namespace, with which it may be in conflict. */
  markPeerAuthentication(policy: PeerAuthenticationFacts, rootNamespace: string): void {
    this.peerAuthentications.add(policy.key);
    const siblings = this.#tables.peerAuthentications.find('namespace', policy.ref.namespace);
    for (const key of siblings) this.peerAuthentications.add(key);
    const pods = this.#tables.pods;
    const { selector, ref } = policy;
    const selective = Object.keys(selector).length > 0;
    const inRoot = ref.namespace === rootNamespace;
    if (selective && inRoot) return;
    this.#markEntryWorkloads(policy, inRoot);
    const affected = selective
      ? this.#tables.podsSelectedBy({ namespace: ref.namespace, selector })
      : inRoot
        ? pods.values()
        : pods.select('namespace', ref.namespace);
    for (const { uid, injected, meshTls } of affected) if (injected || meshTls) this.pods.add(uid);
  }

  /** What is called of the workloads that are no pods, where they may be called by mesh mTLS. */
  #markEntryWorkloads({ ref: { namespace }, selector }: PeerAuthenticationFacts, everywhere: boolean): void {
    const { workloadEntries, serviceEntries } = this.#tables;
    const everyone = Object.keys(selector).length === 0;
    const matches = (labels: Labels): boolean => everyone || matchSelector(selector, labels);
    const workloads = everywhere ? workloadEntries.values() : workloadEntries.select('namespace', namespace);
    for (const { ref, labels, workload } of workloads) {
      if (workload?.serviceAccount === undefined || !matches(labels)) continue;
      for (const entry of this.#tables.entriesSelecting(ref.namespace, labels)) this.markEntry(entry);
      for (const { key } of this.#tables.servicesSelecting({ namespace: ref.namespace, labels }))
        this.services.add(key);
    }
    const services = everywhere ? serviceEntries.values() : serviceEntries.select('namespace', namespace);
    for (const entry of services) {
      if (entry.endpoints.some(({ serviceAccount, labels }) => serviceAccount !== undefined && matches(labels)))
        this.markEntry(entry);
    }
  }
}
