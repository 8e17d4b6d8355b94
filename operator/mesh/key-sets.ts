const NOTHING: ReadonlySet<never> = new Set<never>();

/** Sets of keys by name; a name without keys is not there. */
export class KeySets<Name, Key> {
  readonly #sets = new Map<Name, Set<Key>>();

  /** Keys of a name, as they are now and will be. */
  get(name: Name): ReadonlySet<Key> {
    return this.#sets.get(name) ?? NOTHING;
  }

  names(): IterableIterator<Name> {
    return this.#sets.keys();
  }

  add(name: Name, key: Key): void {
    const set = this.#sets.get(name);
    if (set === undefined) this.#sets.set(name, new Set([key]));
    else set.add(key);
  }

  delete(name: Name, key: Key): void {
    const set = this.#sets.get(name);
    set?.delete(key);
    if (set?.size === 0) this.#sets.delete(name);
  }

  clear(): void {
    this.#sets.clear();
  }
}
