import { type KubeObject, objectKey } from './object.ts';

/** One object changed: `object` is undefined when it is gone, `previous` when it is new. */
export interface StoreChange<T> {
  readonly key: string;
  readonly object: T | undefined;
  readonly previous: T | undefined;
}

export type StoreListener<T> = (change: StoreChange<T>) => void;

/** What readers of a store see. */
export interface ReadStore<T> {
  readonly size: number;
  /** True once the first list has arrived. */
  readonly hasSynced: boolean;
  /** Resolves with the first list. */
  readonly synced: Promise<void>;
  /** `key` is `namespace/name`, or `name` for cluster-scoped kinds. */
  get(key: string): T | undefined;
  list(): IterableIterator<T>;
  keys(): IterableIterator<string>;
  /** Objects for which the index gave this value. */
  byIndex(index: string, value: string): readonly T[];
  /** Calls back at each change, in order; gives a function that ends that. */
  onChange(listener: StoreListener<T>): () => void;
}

/** A store whose reader may add indexes of its own. */
export interface IndexedStore<T> extends ReadStore<T> {
  addIndex(index: string, indexer: (object: T) => readonly string[]): unknown;
}

/** The last known objects of one kind, by key, with optional indexes. */
export class Store<T extends KubeObject> implements ReadStore<T> {
  readonly #objects = new Map<string, T>();
  readonly #listeners = new Set<StoreListener<T>>();
  readonly #indexers = new Map<string, (object: T) => readonly string[]>();
  readonly #indexes = new Map<string, Map<string, Map<string, T>>>();
  readonly #onListenerError: (error: unknown) => void;
  readonly synced: Promise<void>;
  #markSynced: () => void = () => {};
  #hasSynced = false;

  constructor(onListenerError: (error: unknown) => void = warn) {
    this.#onListenerError = onListenerError;
    this.synced = new Promise((resolve) => {
      this.#markSynced = resolve;
    });
  }

  get size(): number {
    return this.#objects.size;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): IterableIterator<T> {
    return this.#objects.values();
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** Adds an index; objects that are there already are indexed too. */
  addIndex(index: string, indexer: (object: T) => readonly string[]): this {
    this.#indexers.set(index, indexer);
    this.#indexes.set(index, new Map());
    for (const [key, object] of this.#objects) this.#index(index, key, undefined, object);
    return this;
  }

  byIndex(index: string, value: string): readonly T[] {
    return [...(this.#indexes.get(index)?.get(value)?.values() ?? [])];
  }

  onChange(listener: StoreListener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sets one object; the same resourceVersion of the same object causes no event. */
  set(object: T): void {
    const key = objectKey(object);
    const previous = this.#objects.get(key);
    if (previous && sameVersion(previous, object)) return;
    this.#put(key, object);
    this.#tell({ key, object, previous });
  }

  delete(key: string): void {
    const previous = this.#objects.get(key);
    if (!previous) return;
    this.#put(key, undefined);
    this.#tell({ key, object: undefined, previous });
  }

  /** Puts a whole list in place of what is there, then tells the differences; listeners see the new state whole. */
  replace(objects: readonly T[]): void {
    const fresh = new Map(objects.map((object) => [objectKey(object), object]));
    const changes: StoreChange<T>[] = [];
    for (const [key, previous] of this.#objects) {
      if (!fresh.has(key)) changes.push({ key, object: undefined, previous });
    }
    for (const [key, object] of fresh) {
      const previous = this.#objects.get(key);
      if (!previous || !sameVersion(previous, object)) changes.push({ key, object, previous });
    }
    for (const { key, object } of changes) this.#put(key, object);
    for (const change of changes) this.#tell(change);
    this.#hasSynced = true;
    this.#markSynced();
  }

  #put(key: string, object: T | undefined): void {
    const previous = this.#objects.get(key);
    if (object) this.#objects.set(key, object);
    else this.#objects.delete(key);
    for (const index of this.#indexers.keys()) this.#index(index, key, previous, object);
  }

  #index(index: string, key: string, previous: T | undefined, object: T | undefined): void {
    const indexer = this.#indexers.get(index);
    const values = this.#indexes.get(index);
    if (!indexer || !values) return;
    for (const value of previous ? indexer(previous) : []) {
      const entries = values.get(value);
      entries?.delete(key);
      if (entries?.size === 0) values.delete(value);
    }
    if (!object) return;
    for (const value of indexer(object)) {
      const entries = values.get(value) ?? new Map<string, T>();
      values.set(value, entries.set(key, object));
    }
  }

  #tell(change: StoreChange<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        // One bad listener must neither stop the watch nor hide the change from the others.
        this.#onListenerError(error);
      }
    }
  }
}

function sameVersion(a: KubeObject, b: KubeObject): boolean {
  const version = a.metadata?.resourceVersion;
  return version !== undefined && version === b.metadata?.resourceVersion && a.metadata?.uid === b.metadata?.uid;
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'StoreListenerError');
}
