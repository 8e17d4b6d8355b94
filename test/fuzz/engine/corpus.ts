import type { Random } from './random.ts';

/** How often a branch was taken, in classes: more of them would find nothing but longer inputs. */
const CLASSES = Uint8Array.from({ length: 256 }, (_, count) =>
  count === 0 ? 0 : 1 << Math.min(7, Math.floor(Math.log2(count) * 1.2)),
);

/** Inputs that each took a way through the code that none before had taken. */
export class Corpus {
  readonly #counters: Uint8Array;
  readonly #words: BigUint64Array;
  readonly #seen: Uint8Array;
  readonly inputs: Uint8Array[] = [];

  /** @param counters see `Coverage`; a multiple of eight of them */
  constructor(counters: Uint8Array<ArrayBuffer>) {
    this.#counters = counters;
    this.#words = new BigUint64Array(counters.buffer);
    this.#seen = new Uint8Array(counters.length);
  }

  /** Branches that were taken by any input. */
  get branches(): number {
    return this.#seen.reduce((sum, classes) => sum + (classes === 0 ? 0 : 1), 0);
  }

  /** Keeps an input that has just run when it did something new. @param branches there are */
  note(input: Uint8Array, branches: number): boolean {
    let isNew = false;
    for (let word = 0; word * 8 < branches; word++) {
      if (this.#words[word] === 0n) continue;
      for (let index = word * 8; index < word * 8 + 8; index++) {
        const taken = CLASSES[this.#counters[index] ?? 0] ?? 0;
        const seen = this.#seen[index] ?? 0;
        if ((taken & ~seen) !== 0) {
          this.#seen[index] = seen | taken;
          isNew = true;
        }
      }
      this.#words[word] = 0n;
    }
    if (isNew) this.inputs.push(Uint8Array.from(input));
    return isNew;
  }

  /** One of them; half of the time a late one, which has come furthest. */
  pick(random: Random): Uint8Array {
    const { length } = this.inputs;
    const from = random.below(2) === 0 ? Math.max(0, length - 32) : 0;
    return this.inputs[from + random.below(length - from)] ?? new Uint8Array();
  }
}
