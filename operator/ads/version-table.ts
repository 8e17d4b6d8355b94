import { NameNumbers } from './name-numbers.ts';

/** Names that make an array worth while, as far as they are a good part of all that have a number. */
const MANY = 256;
const GOOD_PART = 1 / 4;
/** A map is smaller then. */
const TOO_SMALL_A_PART = 1 / 8;
/** Arrays grow by so many names. */
const STEP = 512;

/** Names of what is held in arrays, by any stream. */
const NUMBERS = new NameNumbers();

/** Versions by name: a map while they are few, and an array by the names' numbers for a stream that holds most of what there is. */
export class VersionTable {
  private readonly numbers: NameNumbers;
  private few: Map<string, string> | undefined = new Map();
  private many: (string | undefined)[] = [];
  private count = 0;
  /** With so many names it is thought over which of the two it is. */
  private reviewAt = MANY;

  constructor(numbers = NUMBERS) {
    this.numbers = numbers;
  }

  get size(): number {
    return this.few?.size ?? this.count;
  }

  get(name: string): string | undefined {
    if (this.few !== undefined) return this.few.get(name);
    const number = this.numbers.find(name);
    return number === undefined ? undefined : this.many[number];
  }

  set(name: string, version: string): void {
    if (this.few === undefined) {
      this.put(name, version);
      return;
    }
    this.few.set(name, version);
    if (this.few.size >= this.reviewAt) this.review(this.few);
  }

  delete(name: string): void {
    if (this.few !== undefined) {
      this.few.delete(name);
      return;
    }
    const number = this.numbers.find(name);
    if (number === undefined || this.many[number] === undefined) return;
    this.many[number] = undefined;
    this.count--;
  }

  /** All names. None may be added meanwhile. */
  *names(): Generator<string> {
    if (this.few !== undefined) {
      yield* this.few.keys();
      return;
    }
    for (let number = 0; number < this.many.length; number++) {
      if (this.many[number] !== undefined) yield this.numbers.name(number);
    }
  }

  mark(used: Uint8Array): void {
    for (let number = 0; number < this.many.length; number++) if (this.many[number] !== undefined) used[number] = 1;
  }

  private review(few: ReadonlyMap<string, string>): void {
    this.reviewAt = 2 * few.size;
    const { length } = this.numbers;
    if (few.size < GOOD_PART * length) return;
    this.few = undefined;
    // Room for all, should none of them have a number yet.
    this.many = new Array<string | undefined>(length + few.size).fill(undefined);
    this.numbers.use(this);
    for (const [name, version] of few) this.put(name, version);
  }

  private put(name: string, version: string): void {
    const number = this.numbers.take(name);
    if (number >= this.many.length && !this.reach(number)) {
      this.set(name, version);
      return;
    }
    if (this.many[number] === undefined) this.count++;
    this.many[number] = version;
  }

  /** Makes room for a number. False when that would be for next to nothing: it is a map again. */
  private reach(number: number): boolean {
    const length = Math.ceil((number + 1) / STEP) * STEP;
    if (length * TOO_SMALL_A_PART > Math.max(this.count, MANY)) {
      this.few = new Map([...this.names()].map((name) => [name, this.get(name) ?? '']));
      this.many = [];
      this.count = 0;
      this.reviewAt = 2 * Math.max(MANY, this.few.size);
      return false;
    }
    const grown = new Array<string | undefined>(length).fill(undefined);
    for (let at = 0; at < this.many.length; at++) grown[at] = this.many[at];
    this.many = grown;
    return true;
  }
}
