import { VIRTUAL_HOST_TYPE } from '../xds/resource.ts';

/** What keeps values by numbers of names. */
interface User {
  /** Marks the numbers that it has a value of. */
  mark(used: Uint8Array): void;
}

/** So many names have numbers before it is looked for those that nobody uses any more. */
const FIRST_SWEEP = 4096;
/** And so many users before it is looked for those that have gone. */
const FIRST_REVIEW = 512;

/**
 * Small numbers for the names that many streams hold: an array by number costs each of them a fifth of a map by name, and less time. Numbers that nobody uses
 * are given out again.
 */
export class NameNumbers {
  private readonly numbers = new Map<string, number>();
  private readonly names: (string | undefined)[] = [];
  private readonly free: number[] = [];
  /** Streams come and go, and nobody says of what they held that it is no more. */
  private held: WeakRef<User>[] = [];
  private sweepAt = FIRST_SWEEP;
  private reviewAt = FIRST_REVIEW;

  /** Names that have a number. */
  get size(): number {
    return this.numbers.size;
  }

  /** All numbers are less. */
  get length(): number {
    return this.names.length;
  }

  /** Users, and those that have gone since it was looked last. */
  get users(): number {
    return this.held.length;
  }

  use(user: User): void {
    if (this.held.length >= this.reviewAt) this.review();
    this.held.push(new WeakRef(user));
  }

  /** The number of a name; undefined when it has none. */
  find(name: string): number | undefined {
    return this.numbers.get(name);
  }

  /** The name of a number that is in use. */
  name(number: number): string {
    return this.names[number] ?? '';
  }

  /** The number of a name, a new one if need be. It is kept as long as a user marks it. */
  take(name: string): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    if (this.numbers.size >= this.sweepAt) this.sweep();
    const number = this.free.pop() ?? this.names.length;
    this.names[number] = name;
    this.numbers.set(name, number);
    return number;
  }

  private sweep(): void {
    const used = new Uint8Array(this.names.length);
    this.review();
    for (const user of this.held) user.deref()?.mark(used);
    for (const [number, name] of this.names.entries()) {
      if (name === undefined || used[number] === 1) continue;
      this.numbers.delete(name);
      this.names[number] = undefined;
      this.free.push(number);
    }
    this.sweepAt = Math.max(FIRST_SWEEP, 2 * this.numbers.size);
  }

  /** Lets go of users that have gone: names may stay the same while streams come and go. */
  private review(): void {
    this.held = this.held.filter((user) => user.deref() !== undefined);
    this.reviewAt = Math.max(FIRST_REVIEW, 2 * this.held.length);
  }
}

/** Virtual hosts have names that no other type has; those of clusters and of their endpoints are the same. */
const OF_HOSTS = new NameNumbers();
const OF_OTHERS = new NameNumbers();

/** Numbers of the names of a type, for all streams. */
export function numbersOf(typeUrl: string): NameNumbers {
  return typeUrl === VIRTUAL_HOST_TYPE ? OF_HOSTS : OF_OTHERS;
}
