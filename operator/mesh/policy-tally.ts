import { Set as PersistentSet } from 'immutable';
import { sameValue } from './equality.ts';
import { type ObjectKey, type ObjectRef, objectKey } from './object-ref.ts';
import type { WorkloadUid } from './snapshot.ts';

const NONE: PersistentSet<WorkloadUid> = PersistentSet();

/** Where a policy lost against an older one of its scope. */
export interface Loss {
  readonly winner: ObjectKey;
  readonly workloads: number;
}

/** How policies of a kind come out for one workload. */
export interface TalliedDecision {
  /** Those that were consulted. */
  readonly effective: { readonly policies: readonly ObjectRef[] };
  /** All that match the workload, whether or not they decide. */
  readonly selecting: readonly ObjectKey[];
  /** Those with a selector that an older one set aside here, with the winner. */
  readonly losers: readonly ObjectKey[];
  readonly winner?: ObjectKey;
}

/** Keeps, per policy, the injected workloads it selects, decides for and loses at, as each workload changes. */
export class PolicyTally {
  readonly #decisions = new Map<WorkloadUid, TalliedDecision>();
  readonly #consulted = new Map<ObjectKey, PersistentSet<WorkloadUid>>();
  readonly #selected = new Map<ObjectKey, number>();
  /** Loser → winner → number of workloads, and the other way about. */
  readonly #losses = new Map<ObjectKey, Map<ObjectKey, number>>();
  readonly #wins = new Map<ObjectKey, Map<ObjectKey, number>>();

  /**
   * Takes down how the policies come out for one workload; undefined when it is gone.
   * @returns the policies whose tally differs now
   */
  replace(uid: WorkloadUid, after: TalliedDecision | undefined): Iterable<ObjectKey> {
    const before = this.#decisions.get(uid);
    if (sameValue(before, after)) return [];
    if (before !== undefined) this.#count(uid, before, -1);
    if (after === undefined) this.#decisions.delete(uid);
    else {
      this.#decisions.set(uid, after);
      this.#count(uid, after, 1);
    }
    return new Set([...(before?.selecting ?? []), ...(after?.selecting ?? [])]);
  }

  /** Workloads for which a policy was consulted. */
  consulted(policy: ObjectKey): PersistentSet<WorkloadUid> {
    return this.#consulted.get(policy) ?? NONE;
  }

  /** Number of workloads that a policy matches. */
  selected(policy: ObjectKey): number {
    return this.#selected.get(policy) ?? 0;
  }

  /** Policies that set this one aside somewhere, in order of name. */
  losses(policy: ObjectKey): Loss[] {
    const losses = [...(this.#losses.get(policy) ?? [])];
    return losses.sort(([a], [b]) => (a < b ? -1 : 1)).map(([winner, workloads]) => ({ winner, workloads }));
  }

  /** Policies that this one sets aside somewhere, in order of name. */
  wins(policy: ObjectKey): ObjectKey[] {
    return [...(this.#wins.get(policy)?.keys() ?? [])].sort();
  }

  #count(uid: WorkloadUid, decision: TalliedDecision, sign: 1 | -1): void {
    for (const ref of decision.effective.policies) {
      const key = objectKey(ref);
      const uids = sign > 0 ? this.consulted(key).add(uid) : this.consulted(key).delete(uid);
      if (uids.size === 0) this.#consulted.delete(key);
      else this.#consulted.set(key, uids);
    }
    for (const key of decision.selecting) add(this.#selected, key, sign);
    const { winner, losers } = decision;
    if (winner === undefined) return;
    for (const loser of losers) {
      addPair(this.#losses, loser, winner, sign);
      addPair(this.#wins, winner, loser, sign);
    }
  }
}

function addPair(
  counts: Map<ObjectKey, Map<ObjectKey, number>>,
  first: ObjectKey,
  second: ObjectKey,
  amount: number,
): void {
  const seconds = counts.get(first) ?? new Map<ObjectKey, number>();
  add(seconds, second, amount);
  if (seconds.size === 0) counts.delete(first);
  else counts.set(first, seconds);
}

function add(counts: Map<ObjectKey, number>, key: ObjectKey, amount: number): void {
  const count = (counts.get(key) ?? 0) + amount;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
