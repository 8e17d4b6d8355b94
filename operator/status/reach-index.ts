import { KeySets } from '../mesh/key-sets.ts';
import type { Visibility } from '../mesh/visibility.ts';

/** Items by the namespaces that they reach. */
export class ReachIndex<T> {
  readonly #everywhere = new Set<T>();
  readonly #byNamespace = new KeySets<string, T>();
  readonly #visibilities = new Map<T, Visibility>();

  /** Puts an item in, in place of what it reached before. */
  put(item: T, visibility: Visibility): void {
    this.delete(item);
    this.#visibilities.set(item, visibility);
    if (visibility === '*') {
      this.#everywhere.add(item);
      return;
    }
    for (const namespace of visibility) this.#byNamespace.add(namespace, item);
  }

  delete(item: T): void {
    const visibility = this.#visibilities.get(item);
    if (visibility === undefined) return;
    this.#visibilities.delete(item);
    this.#everywhere.delete(item);
    for (const namespace of visibility === '*' ? [] : visibility) this.#byNamespace.delete(namespace, item);
  }

  /** What reaches a namespace. */
  reaching(namespace: string): T[] {
    return [...this.#everywhere, ...this.#byNamespace.get(namespace)];
  }

  clear(): void {
    this.#everywhere.clear();
    this.#byNamespace.clear();
    this.#visibilities.clear();
  }
}
