import { DueHeap } from './due-heap.ts';

/**
 * What is to be looked at, and when: pressing items by their time, and idle ones, in the order in which they came, whenever nothing is
 * pressing. Whoever is there twice is taken once. Times are in ms.
 */
export class Agenda<T> {
  readonly #pressing = new Map<T, number>();
  /** Has entries that do not count any more, too: those whose time is not the one in `#pressing`. */
  readonly #heap = new DueHeap<T>();
  readonly #idle = new Map<T, number>();

  /** Puts an item down for a time; the earliest of several counts. */
  add(item: T, at: number): void {
    const before = this.#pressing.get(item);
    if (before !== undefined && before <= at) return;
    this.#pressing.set(item, at);
    this.#heap.push(item, at);
    if (this.#heap.size > 64 && this.#heap.size > 2 * this.#pressing.size) this.#compact();
  }

  /** Puts an item down for when there is time; who is there already keeps its place. Nobody may come with an earlier time than the one before. */
  addIdle(item: T, at: number): void {
    const pressing = this.#pressing.get(item);
    if (this.#idle.has(item) || (pressing !== undefined && pressing <= at)) return;
    this.#idle.set(item, at);
  }

  /** Takes out what is next; undefined when nothing is due. */
  take(now: number): T | undefined {
    const pressing = this.#firstPressing();
    if (pressing !== undefined && pressing.at <= now) {
      this.#heap.pop();
      return this.#taken(pressing.item);
    }
    const [idle] = this.#idle;
    return idle === undefined || idle[1] > now ? undefined : this.#taken(idle[0]);
  }

  /** When something will be due; undefined when there is nothing. */
  nextAt(): number | undefined {
    const pressing = this.#firstPressing()?.at;
    const [idle] = this.#idle.values();
    return pressing === undefined || idle === undefined ? (pressing ?? idle) : Math.min(pressing, idle);
  }

  clear(): void {
    this.#pressing.clear();
    this.#heap.clear();
    this.#idle.clear();
  }

  #taken(item: T): T {
    this.#pressing.delete(item);
    this.#idle.delete(item);
    return item;
  }

  #firstPressing(): { readonly item: T; readonly at: number } | undefined {
    for (;;) {
      const { first } = this.#heap;
      if (first === undefined || this.#pressing.get(first.item) === first.at) return first;
      this.#heap.pop();
    }
  }

  #compact(): void {
    this.#heap.clear();
    for (const [item, at] of this.#pressing) this.#heap.push(item, at);
  }
}
