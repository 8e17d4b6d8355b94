import type { ObjectKey } from './object-ref.ts';
import type { WorkloadUid } from './snapshot.ts';

/** Of more policies that are about one workload the others are not counted: each would be counted with each. */
const MOST = 10;

/** Keeps which policies are about the same workloads. */
export class OverlapTally {
  readonly #policies = new Map<WorkloadUid, readonly ObjectKey[]>();
  /** Policy → another → number of workloads that both are about. */
  readonly #shared = new Map<ObjectKey, Map<ObjectKey, number>>();

  /**
   * Takes down which policies are about a workload.
   * @param policies in an order that does not depend on events
   */
  replace(uid: WorkloadUid, policies: readonly ObjectKey[]): void {
    const counted = policies.slice(0, MOST);
    this.#count(this.#policies.get(uid) ?? [], -1);
    this.#count(counted, 1);
    if (counted.length === 0) this.#policies.delete(uid);
    else this.#policies.set(uid, counted);
  }

  /** The others that are about some of the same workloads, in order of name. */
  beside(policy: ObjectKey): ObjectKey[] {
    return [...(this.#shared.get(policy)?.keys() ?? [])].sort();
  }

  #count(policies: readonly ObjectKey[], by: 1 | -1): void {
    for (const one of policies) {
      for (const other of policies) {
        if (one === other) continue;
        const shared = this.#shared.get(one) ?? new Map<ObjectKey, number>();
        const count = (shared.get(other) ?? 0) + by;
        if (count === 0) shared.delete(other);
        else shared.set(other, count);
        if (shared.size === 0) this.#shared.delete(one);
        else this.#shared.set(one, shared);
      }
    }
  }
}
