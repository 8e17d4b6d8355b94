import { KeySets } from '../mesh/key-sets.ts';
import type { WorkloadUid } from '../mesh/snapshot.ts';

/** By proxy, the items that are not in force everywhere on account of it. */
export class Holders<T> {
  readonly #items = new KeySets<WorkloadUid, T>();
  readonly #uids = new Map<T, readonly WorkloadUid[]>();

  /** Sets the proxies that hold an item back; none: it is forgotten. */
  set(item: T, uids: readonly WorkloadUid[]): void {
    for (const uid of this.#uids.get(item) ?? []) this.#items.delete(uid, item);
    if (uids.length === 0) {
      this.#uids.delete(item);
      return;
    }
    this.#uids.set(item, uids);
    for (const uid of uids) this.#items.add(uid, item);
  }

  heldBy(uid: WorkloadUid): ReadonlySet<T> {
    return this.#items.get(uid);
  }

  clear(): void {
    this.#items.clear();
    this.#uids.clear();
  }
}
