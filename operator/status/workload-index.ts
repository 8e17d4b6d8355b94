import { sameValue } from '../mesh/equality.ts';
import { KeySets } from '../mesh/key-sets.ts';
import { matchSelector } from '../mesh/selector.ts';
import type { MeshDelta, MeshSnapshot, PolicyReach, Workload, WorkloadUid } from '../mesh/snapshot.ts';

/** The injected workloads of the newest snapshot, by namespace. */
export class WorkloadIndex {
  #snapshot: MeshSnapshot | undefined;
  readonly #byNamespace = new KeySets<string, WorkloadUid>();

  /**
   * Takes the next snapshot.
   * @returns those that came, went, or changed in what decides whether policies of callers are about them
   */
  update(snapshot: MeshSnapshot, delta: MeshDelta): Workload[] {
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    const changed: Workload[] = [];
    const uids = before === undefined ? snapshot.workloads.keys() : delta.workloads;
    for (const uid of uids) {
      const [old, fresh] = [before?.workloads.get(uid), snapshot.workloads.get(uid)];
      if (old !== undefined && old.namespace !== fresh?.namespace) this.#byNamespace.delete(old.namespace, uid);
      if (fresh !== undefined) this.#byNamespace.add(fresh.namespace, uid);
      const known = fresh ?? old;
      if (known !== undefined && (old === undefined || fresh === undefined || !isAlike(old, fresh)))
        changed.push(known);
    }
    return changed;
  }

  /** The workloads that a policy is about. */
  *within(reach: PolicyReach): Iterable<Workload> {
    for (const uid of this.#uids(reach)) {
      const workload = this.#snapshot?.workloads.get(uid);
      if (workload !== undefined && isAbout(reach, workload)) yield workload;
    }
  }

  *#uids(reach: PolicyReach): Iterable<WorkloadUid> {
    if (reach.kind === 'workloads') yield* reach.workloads;
    else if (reach.visibility === '*') yield* this.#snapshot?.workloads.keys() ?? [];
    else for (const namespace of reach.visibility) yield* this.#byNamespace.get(namespace);
  }
}

function isAbout(reach: PolicyReach, { labels }: Workload): boolean {
  return reach.kind === 'workloads' || Object.keys(reach.labels).length === 0 || matchSelector(reach.labels, labels);
}

function isAlike(a: Workload, b: Workload): boolean {
  return a.proxyStarted === b.proxyStarted && a.sidecar === b.sidecar && sameValue(a.labels, b.labels);
}
