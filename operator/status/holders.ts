import type { WorkloadUid } from '../mesh/snapshot.ts';

const NOTHING: ReadonlySet<never> = new Set();

/** By proxy, the items that are not in force everywhere on account of it. */
export class Holders<T> {
  readonly #items = new Map<WorkloadUid, Set<T>>();
  readonly #uids = new Map<T, readonly WorkloadUid[]>();

  /** Sets the proxies that hold an item back; none: it is forgotten. */
  set(item: T, uids: readonly WorkloadUid[]): void {
    for (const uid of this.#uids.get(item) ?? []) {
      const items = this.#items.get(uid);
      items?.delete(item);
      if (items?.size === 0) this.#items.delete(uid);
    }
    if (uids.length === 0) {
      this.#uids.delete(item);
      return;
    }
    this.#uids.set(item, uids);
    for (const uid of uids) this.#items.set(uid, (this.#items.get(uid) ?? new Set()).add(item));
  }

  heldBy(uid: WorkloadUid): ReadonlySet<T> {
    return this.#items.get(uid) ?? NOTHING;
  }

  clear(): void {
    this.#items.clear();
    this.#uids.clear();
  }
}
