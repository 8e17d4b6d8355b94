import type { NameNumbers } from './name-numbers.ts';

/** Names that make a column worth while, as far as they are a good part of all that have a number. */
const MANY = 256;
const GOOD_PART = 1 / 4;
/** A map is smaller then. */
const TOO_SMALL_A_PART = 1 / 8;
/** Columns grow by so many names. */
const STEP = 512;

/** Values by the numbers of names. */
interface Column<Value> {
  readonly length: number;
  [number: number]: Value;
}

/** Values by name: a map while they are few, and a column by the names' numbers for a stream that has most of what there is. */
class NameTable<Value> {
  private readonly absent: Value;
  private readonly newColumn: (length: number) => Column<Value>;
  private readonly numbers: NameNumbers;
  private few: Map<string, Value> | undefined = new Map();
  private many: Column<Value> = [];
  private count = 0;
  /** With so many names it is thought over which of the two it is. */
  private reviewAt = MANY;

  /**
   * @param absent what stands for no value
   * @param newColumn gives one that is all `absent`
   */
  constructor(absent: Value, newColumn: (length: number) => Column<Value>, numbers: NameNumbers) {
    this.absent = absent;
    this.newColumn = newColumn;
    this.numbers = numbers;
  }

  get size(): number {
    return this.few?.size ?? this.count;
  }

  get(name: string): Value {
    if (this.few !== undefined) return this.few.get(name) ?? this.absent;
    const number = this.numbers.find(name);
    return (number === undefined ? undefined : this.many[number]) ?? this.absent;
  }

  set(name: string, value: Value): void {
    if (this.few === undefined) {
      this.put(name, value);
      return;
    }
    this.few.set(name, value);
    if (this.few.size >= this.reviewAt) this.review(this.few);
  }

  delete(name: string): void {
    if (this.few !== undefined) {
      this.few.delete(name);
      return;
    }
    const number = this.numbers.find(name);
    if (number === undefined || !this.isUsed(number)) return;
    this.many[number] = this.absent;
    this.count--;
  }

  /** All names. None may be added meanwhile. */
  *names(): Generator<string> {
    if (this.few !== undefined) {
      yield* this.few.keys();
      return;
    }
    for (let number = 0; number < this.many.length; number++) {
      if (this.isUsed(number)) yield this.numbers.name(number);
    }
  }

  mark(used: Uint8Array): void {
    for (let number = 0; number < this.many.length; number++) if (this.isUsed(number)) used[number] = 1;
  }

  private isUsed(number: number): boolean {
    return number < this.many.length && this.many[number] !== this.absent;
  }

  private review(few: ReadonlyMap<string, Value>): void {
    this.reviewAt = 2 * few.size;
    const { length } = this.numbers;
    if (few.size < GOOD_PART * length) return;
    this.few = undefined;
    // Room for all, should none of them have a number yet.
    this.many = this.newColumn(length + few.size);
    this.numbers.use(this);
    for (const [name, value] of few) this.put(name, value);
  }

  private put(name: string, value: Value): void {
    const number = this.numbers.take(name);
    if (number >= this.many.length && !this.reach(number)) {
      this.set(name, value);
      return;
    }
    if (!this.isUsed(number)) this.count++;
    this.many[number] = value;
  }

  /** Makes room for a number. False when that would be for next to nothing: it is a map again. */
  private reach(number: number): boolean {
    const length = Math.ceil((number + 1) / STEP) * STEP;
    if (length * TOO_SMALL_A_PART > Math.max(this.count, MANY)) {
      this.few = new Map([...this.names()].map((name) => [name, this.get(name)]));
      this.many = [];
      this.count = 0;
      this.reviewAt = 2 * Math.max(MANY, this.few.size);
      return false;
    }
    const grown = this.newColumn(length);
    for (let at = 0; at < this.many.length; at++) grown[at] = this.many[at] ?? this.absent;
    this.many = grown;
    return true;
  }
}

/** Versions by name, of which streams hold thousands that are the same. */
export class VersionTable extends NameTable<string | undefined> {
  /** @param numbers shared with tables of the same names */
  constructor(numbers: NameNumbers) {
    super(undefined, (length) => new Array<string | undefined>(length).fill(undefined), numbers);
  }
}

/** A set of names, of which streams hold thousands that are the same. */
export class NameSet extends NameTable<number> {
  /** @param numbers shared with tables of the same names */
  constructor(numbers: NameNumbers) {
    super(0, (length) => new Uint8Array(length), numbers);
  }

  has(name: string): boolean {
    return this.get(name) !== 0;
  }

  add(name: string): void {
    this.set(name, 1);
  }

  /** All names. None may be added meanwhile. */
  [Symbol.iterator](): Iterator<string> {
    return this.names();
  }
}

/** What is asked whether a name is in it. */
export type NameFilter = Pick<NameSet, 'has'>;
