import { sameValue } from './equality.ts';
import { KeySets } from './key-sets.ts';

/** What a row was and what it is now; one of them may be missing, never both. */
export interface Replacement<Facts> {
  readonly before: Facts | undefined;
  readonly after: Facts | undefined;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Facts of one kind by object key, with secondary indexes. Only facts that the mesh reads are kept, so that the many
 * updates that change nothing for it (heartbeats, status of others) end here.
 */
export class FactTable<Facts, Index extends string = never> {
  readonly #rows = new Map<string, Facts>();
  readonly #columns: ReadonlyMap<Index, (facts: Facts) => readonly string[]>;
  readonly #indexes = new Map<Index, KeySets<string, string>>();

  /** @param columns per index the values under which a row is to be found */
  constructor(columns: Readonly<Record<Index, (facts: Facts) => readonly string[]>>) {
    this.#columns = new Map(Object.entries(columns) as [Index, (facts: Facts) => readonly string[]][]);
    for (const index of this.#columns.keys()) this.#indexes.set(index, new KeySets());
  }

  /** The row of an object. */
  get(key: string): Facts | undefined {
    return this.#rows.get(key);
  }

  /** Keys of the rows that have this value in the index. */
  find(index: Index, value: string): ReadonlySet<string> {
    return this.#indexes.get(index)?.get(value) ?? NOTHING;
  }

  /** Rows that have this value in the index. */
  *select(index: Index, value: string): Generator<Facts> {
    for (const key of this.find(index, value)) {
      const row = this.#rows.get(key);
      if (row !== undefined) yield row;
    }
  }

  /** All rows. */
  values(): IterableIterator<Facts> {
    return this.#rows.values();
  }

  /**
   * Puts (or, with undefined, removes) a row.
   * @returns undefined when this changes nothing
   */
  replace(key: string, after: Facts | undefined): Replacement<Facts> | undefined {
    const before = this.#rows.get(key);
    if (sameValue(before, after)) return undefined;
    if (before !== undefined) this.#unlink(key, before);
    if (after === undefined) this.#rows.delete(key);
    else {
      this.#rows.set(key, after);
      this.#link(key, after);
    }
    return { before, after };
  }

  #link(key: string, facts: Facts): void {
    for (const [index, valuesOf] of this.#columns) {
      for (const value of valuesOf(facts)) this.#indexes.get(index)?.add(value, key);
    }
  }

  #unlink(key: string, facts: Facts): void {
    for (const [index, valuesOf] of this.#columns) {
      for (const value of valuesOf(facts)) this.#indexes.get(index)?.delete(value, key);
    }
  }
}
