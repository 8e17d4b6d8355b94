import { createHash } from 'node:crypto';
import { decodeQuestion, decodeTallies, encodeQuestion, encodeTallies } from './count-message.ts';
import type { Counters, Hit, Tally } from './counters.ts';

/** Method by which replicas ask each other to count. */
export const COUNT_PATH = '/heddle.ratelimit.v1.Counters/Count';

/** The replicas that count together. */
export interface CountingReplicas {
  /** Name of this one. */
  readonly self: string;
  /** Names of the others that serve now. */
  others(): readonly string[];
  /** Asks one of them. @throws {Error} when it does not answer */
  ask(name: string, question: Uint8Array): Promise<Uint8Array>;
}

/**
 * Counts of all replicas without a store of their own: each domain is counted by one of them, which all know without a word, and the others ask that one.
 * While it can't be asked, each counts for itself.
 */
export class SharedCounters implements Counters {
  readonly #own: Counters;
  readonly #replicas: CountingReplicas;

  constructor(own: Counters, replicas: CountingReplicas) {
    this.#own = own;
    this.#replicas = replicas;
  }

  /** @inheritDoc */
  async count(domain: string, hits: readonly Hit[]): Promise<readonly Tally[]> {
    const { self } = this.#replicas;
    const owner = ownerOf(domain, [self, ...this.#replicas.others()]);
    if (owner === self) return this.#own.count(domain, hits);
    try {
      const tallies = decodeTallies(await this.#replicas.ask(owner, encodeQuestion({ domain, hits })));
      if (tallies.length === hits.length) return tallies;
    } catch {
      // It may be on its way out; who it is now, this replica hears in a moment.
    }
    return this.#own.count(domain, hits);
  }

  /** Answers another replica, which takes this one for the owner. @throws {Error} when the bytes are malformed */
  async answer(question: Uint8Array): Promise<Uint8Array> {
    const { domain, hits } = decodeQuestion(question);
    return encodeTallies(await this.#own.count(domain, hits));
  }
}

/** Who counts a domain: of all names the one that, hashed with the domain, comes last. One more or less changes no other's domains. */
export function ownerOf(domain: string, names: readonly string[]): string {
  let [owner, best] = ['', ''];
  for (const name of names) {
    const weight = createHash('sha256').update(`${domain}\n${name}`).digest('hex');
    if (weight > best) [owner, best] = [name, weight];
  }
  return owner;
}
