import type { MeshDelta, PolicyReach, WorkloadUid } from '../mesh/snapshot.ts';
import { type EnforcementCount, MAX_HOLDERS } from './enforcement.ts';
import { Holders } from './holders.ts';
import type { PolicyRow } from './policy-row.ts';
import { ReachIndex } from './reach-index.ts';

/**
 * Which of the policies that were judged are to be looked at again when something happens. As many as there are, what happens to one proxy
 * concerns only those that it holds back; whatever alters no more than a count is followed when there is time. A policy that is on the
 * agenda anyway is in none of the sets that lead there, so that no event goes over all of them again and again.
 */
export class PolicyWatch {
  readonly #holders = new Holders<PolicyRow>();
  /** Policies of callers, by the namespaces that see them. */
  readonly #reach = new ReachIndex<PolicyRow>();
  /** Held back by more proxies than are remembered. */
  readonly #crowded = new Set<PolicyRow>();
  /** In no resource of any proxy. */
  readonly #unused = new Set<PolicyRow>();
  readonly #refusals = new Map<WorkloadUid, string>();

  /** Takes down what a judgement found. */
  judged(row: PolicyRow, reach: PolicyReach | undefined, count: EnforcementCount): void {
    this.leave(row);
    this.#holders.set(row, count.holders);
    if (reach?.kind !== 'clients') return;
    this.#reach.put(row, reach.visibility);
    const { total, starting } = count.enforcement;
    if (count.holders.length >= MAX_HOLDERS) this.#crowded.add(row);
    if (total + starting === 0) this.#unused.add(row);
  }

  /** A policy is on the agenda, or gone: nothing needs to put it there. */
  leave(row: PolicyRow): void {
    this.#reach.delete(row);
    this.#crowded.delete(row);
    this.#unused.delete(row);
    this.#holders.set(row, []);
  }

  heldBy(uid: WorkloadUid): readonly PolicyRow[] {
    return [...this.#holders.heldBy(uid)];
  }

  /** Policies of callers in a namespace. */
  reaching(namespace: string): readonly PolicyRow[] {
    return this.#reach.reaching(namespace);
  }

  /** Policies that proxies may use now and did not before. */
  usedSince({ services, routeRules, destinationPolicies, sidecars }: MeshDelta): readonly PolicyRow[] {
    const changed = services.size + routeRules.size + destinationPolicies.size + sidecars.size > 0;
    return changed ? [...this.#unused] : [];
  }

  /** Policies whose count any answer may have altered. */
  crowded(): readonly PolicyRow[] {
    return [...this.#crowded];
  }

  /** Takes down what a proxy refuses; true when that is something else than before, and not nothing. */
  refusesAnew(uid: WorkloadUid, refuses: string): boolean {
    const before = this.#refusals.get(uid) ?? '';
    if (refuses === '') this.#refusals.delete(uid);
    else this.#refusals.set(uid, refuses);
    return refuses !== '' && refuses !== before;
  }

  /** Forgets the refusals of proxies that are gone. */
  forgetProxies(isGone: (uid: WorkloadUid) => boolean): void {
    for (const uid of this.#refusals.keys()) if (isGone(uid)) this.#refusals.delete(uid);
  }

  clear(): void {
    this.#holders.clear();
    this.#reach.clear();
    this.#crowded.clear();
    this.#unused.clear();
    this.#refusals.clear();
  }
}
