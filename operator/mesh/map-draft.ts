import type { Map as PersistentMap } from 'immutable';
import { sameValue } from './equality.ts';

/** Changes a persistent map in place until it is finished, and keeps account of what differs by value. */
export class MapDraft<Value> {
  /** Keys that were added, changed or removed. */
  readonly changed = new Set<string>();
  readonly #base: PersistentMap<string, Value>;
  #draft: PersistentMap<string, Value>;

  constructor(base: PersistentMap<string, Value>) {
    this.#base = base;
    this.#draft = base;
  }

  /** An entry as it is by now. */
  get(key: string): Value | undefined {
    return this.#draft.get(key);
  }

  /** Sets an entry, or removes it with undefined. What is put last of a key counts. */
  put(key: string, value: Value | undefined): void {
    const before = this.#base.get(key);
    if (sameValue(before, value)) {
      if (this.changed.delete(key)) this.#set(key, before);
      return;
    }
    if (this.changed.size === 0) this.#draft = this.#base.asMutable();
    this.changed.add(key);
    this.#set(key, value);
  }

  /** The map with all changes; the very same map when there are none. */
  finish(): PersistentMap<string, Value> {
    return this.changed.size === 0 ? this.#base : this.#draft.asImmutable();
  }

  #set(key: string, value: Value | undefined): void {
    if (value === undefined) this.#draft.delete(key);
    else this.#draft.set(key, value);
  }
}
