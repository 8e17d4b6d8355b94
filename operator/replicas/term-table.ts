import type { Term } from './report-message.ts';

/** Terms that proxies have in common, each kept once, and numbered. */
export class TermTable {
  private readonly terms: Term[] = [];
  /** Numbers of the terms of a resource, by type and name: few, of one version each. */
  private readonly ofResource = new Map<string, Map<string, number[]>>();

  get size(): number {
    return this.terms.length;
  }

  term(number: number): Term | undefined {
    return this.terms[number];
  }

  /** The number of a term. */
  intern(term: Term): number {
    const { typeUrl, name, version } = term;
    const numbers = this.numbers(typeUrl, name);
    const known = numbers.find((number) => this.terms[number]?.version === version);
    if (known !== undefined) return known;
    const number = this.terms.push(term) - 1;
    if (numbers.length > 0) {
      numbers.push(number);
      return number;
    }
    const ofType = this.ofResource.get(typeUrl) ?? new Map<string, number[]>();
    this.ofResource.set(typeUrl, ofType.set(name, [number]));
    return number;
  }

  /** Numbers of the terms of a resource; there is one for each version that some proxy had. */
  numbers(typeUrl: string, name: string): number[] {
    return this.ofResource.get(typeUrl)?.get(name) ?? [];
  }
}

/** Which terms of a table are true of one proxy: a bit for each, so that thousands of resources of thousands of proxies take little room. */
export class TermSet {
  private readonly table: TermTable;
  private bits = new Uint32Array(0);

  constructor(table: TermTable) {
    this.table = table;
  }

  /** A term is true now, and no other of its resource. */
  set(number: number): void {
    const term = this.table.term(number);
    if (term === undefined) return;
    for (const other of this.table.numbers(term.typeUrl, term.name)) this.write(other, false);
    if (term.version !== '') this.write(number, true);
  }

  /** The version that is in force of a resource; undefined when none is. */
  version(typeUrl: string, name: string): string | undefined {
    for (const number of this.table.numbers(typeUrl, name)) {
      if (this.has(number)) return this.table.term(number)?.version;
    }
    return undefined;
  }

  *all(): Generator<Term> {
    for (let word = 0; word < this.bits.length; word++) {
      if (this.bits[word] === 0) continue;
      for (let number = word * 32; number < word * 32 + 32; number++) {
        const term = this.has(number) ? this.table.term(number) : undefined;
        if (term !== undefined) yield term;
      }
    }
  }

  private has(number: number): boolean {
    return (((this.bits[number >>> 5] ?? 0) >>> (number & 31)) & 1) === 1;
  }

  private write(number: number, value: boolean): void {
    const word = number >>> 5;
    if (word >= this.bits.length) {
      if (!value) return;
      const grown = new Uint32Array(Math.max(word + 1, Math.ceil(this.bits.length * 1.5)));
      grown.set(this.bits);
      this.bits = grown;
    }
    const bit = 1 << (number & 31);
    const before = this.bits[word] ?? 0;
    this.bits[word] = value ? before | bit : before & ~bit;
  }
}
