import { isHttp } from '../mesh/protocol.ts';
import { matchSelector } from '../mesh/selector.ts';
import type { Hostname, MeshDelta, MeshService, MeshSnapshot, Workload, WorkloadUid } from '../mesh/snapshot.ts';
import type { NodeNames } from '../telemetry/history/traffic-history.ts';
import { ofClusterHost } from '../xds/names.ts';

/** Labels that say what people call a workload, the first that is there (Istio's order). */
const NAMES = ['service.istio.io/canonical-name', 'app.kubernetes.io/name', 'app'];

/** The pods of one canonical name, in all versions. */
export interface MeshNode {
  /** `namespace/name`. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly pods: ReadonlyMap<WorkloadUid, Workload>;
}

/** What people call the workload of a pod: its canonical name, or its owner's. */
export function canonicalName({ labels, owner, name }: Pick<Workload, 'labels' | 'owner' | 'name'>): string {
  return NAMES.map((label) => labels[label]).find((value) => value) ?? (owner || name);
}

/** Which pods are one node of the graph, and which nodes answer for a Service; follows the mesh change by change. */
export class MeshNodes implements NodeNames {
  readonly #nodes = new Map<string, MeshNode & { readonly pods: Map<WorkloadUid, Workload> }>();
  readonly #nodeOf = new Map<WorkloadUid, string>();
  readonly #ofNamespace = new Map<string, Set<string>>();
  /** Pods by SPIFFE ID. */
  readonly #identities = new Map<string, Map<WorkloadUid, string>>();
  /** Nodes of services, as far as they were asked for; they stay when all pods go, for callers go on to call. */
  readonly #answering = new Map<Hostname, { readonly nodes: readonly string[]; fresh: boolean }>();
  #snapshot: Pick<MeshSnapshot, 'services' | 'workloads'>;

  constructor(snapshot: Pick<MeshSnapshot, 'services' | 'workloads'>) {
    this.#snapshot = snapshot;
    for (const workload of snapshot.workloads.values()) this.#put(workload);
  }

  /** Takes in what changed. */
  update(
    snapshot: Pick<MeshSnapshot, 'services' | 'workloads'>,
    delta: Pick<MeshDelta, 'services' | 'workloads'>,
  ): void {
    this.#snapshot = snapshot;
    const touched = new Set<string>();
    for (const uid of delta.workloads) {
      const workload = snapshot.workloads.get(uid);
      for (const namespace of [this.#drop(uid), workload?.namespace]) if (namespace) touched.add(namespace);
      if (workload !== undefined) this.#put(workload);
    }
    for (const key of delta.services) {
      if (!snapshot.services.has(key)) this.#answering.delete(key);
      else this.#stale(key);
    }
    if (touched.size === 0) return;
    for (const hostname of this.#answering.keys()) {
      if (touched.has(snapshot.services.get(hostname)?.namespace ?? '')) this.#stale(hostname);
    }
  }

  all(): Iterable<MeshNode> {
    return this.#nodes.values();
  }

  node(id: string): MeshNode | undefined {
    return this.#nodes.get(id);
  }

  /** @inheritDoc */
  ofPod(uid: WorkloadUid): string | undefined {
    return this.#nodeOf.get(uid);
  }

  /** @inheritDoc */
  hasSidecars(principal: string): boolean {
    return this.#identities.has(principal);
  }

  /** @inheritDoc */
  isTcp(hostname: Hostname, port: number): boolean {
    const service = ofClusterHost(hostname, (name) => this.#snapshot.services.get(name));
    const protocol = service?.ports.find((one) => one.port === port)?.protocol;
    return protocol !== undefined && !isHttp(protocol);
  }

  /** @inheritDoc */
  isTcpOfPod(uid: WorkloadUid, port: number): boolean {
    const protocol = this.#snapshot.workloads.get(uid)?.inbound.find((one) => one.port === port)?.protocol;
    return protocol !== undefined && !isHttp(protocol);
  }

  /** @inheritDoc */
  ofService(called: Hostname, principal: string, named: string): string {
    if (this.#nodes.has(named)) return named;
    const hostname = called.startsWith('*.') && !this.#snapshot.services.has(called) ? called.slice(2) : called;
    const nodes = this.#nodesOf(hostname);
    const [only] = nodes;
    if (nodes.length === 1 && only !== undefined) return only;
    // Pods of several names behind one Service, or of none: the identity that answered tells, where it is that of one name only.
    const known = new Set(this.#identities.get(principal)?.values());
    const fitting = [...known].filter((id) => nodes.length === 0 || nodes.includes(id));
    return fitting.length === 1 && fitting[0] !== undefined ? fitting[0] : `host:${hostname}`;
  }

  #nodesOf(hostname: Hostname): readonly string[] {
    const known = this.#answering.get(hostname);
    if (known?.fresh === true) return known.nodes;
    const service = this.#snapshot.services.get(hostname);
    const nodes: string[] = [];
    for (const id of service === undefined ? [] : (this.#ofNamespace.get(service.namespace) ?? [])) {
      const pods = this.#nodes.get(id)?.pods.values() ?? [];
      if (service !== undefined && selectsSome(service, pods)) nodes.push(id);
    }
    const last = nodes.length === 0 && known !== undefined && service !== undefined ? known.nodes : nodes;
    if (service !== undefined) this.#answering.set(hostname, { nodes: last, fresh: true });
    return last;
  }

  #stale(hostname: Hostname): void {
    const known = this.#answering.get(hostname);
    if (known !== undefined) known.fresh = false;
  }

  #put(workload: Workload): void {
    const { uid, namespace, spiffeId } = workload;
    const name = canonicalName(workload);
    const id = `${namespace}/${name}`;
    const node = this.#nodes.get(id) ?? { id, namespace, name, pods: new Map<WorkloadUid, Workload>() };
    this.#nodes.set(id, node);
    node.pods.set(uid, workload);
    this.#nodeOf.set(uid, id);
    this.#ofNamespace.set(namespace, (this.#ofNamespace.get(namespace) ?? new Set()).add(id));
    this.#identities.set(spiffeId, (this.#identities.get(spiffeId) ?? new Map<string, string>()).set(uid, id));
  }

  /** @returns the namespace it was in */
  #drop(uid: WorkloadUid): string | undefined {
    const id = this.#nodeOf.get(uid);
    const node = id === undefined ? undefined : this.#nodes.get(id);
    if (id === undefined || node === undefined) return undefined;
    const { spiffeId = '' } = node.pods.get(uid) ?? {};
    this.#nodeOf.delete(uid);
    node.pods.delete(uid);
    const identities = this.#identities.get(spiffeId);
    identities?.delete(uid);
    if (identities?.size === 0) this.#identities.delete(spiffeId);
    if (node.pods.size === 0) {
      this.#nodes.delete(id);
      this.#ofNamespace.get(node.namespace)?.delete(id);
    }
    return node.namespace;
  }
}

function selectsSome({ selector }: MeshService, pods: Iterable<Workload>): boolean {
  for (const { labels } of pods) if (matchSelector(selector, labels)) return true;
  return false;
}
