import type { Refusal } from '../refusals.ts';
import type { CallLabels } from './call-labels.ts';

/** Calls of one node to another, of one protocol, as one side of them counted. */
export interface Edge {
  readonly source: string;
  readonly destination: string;
  readonly transport: 'http' | 'tcp';
  readonly reporter: 'source' | 'destination';
}

/** What a counter counts. */
export type Counter =
  | { readonly kind: 'calls' | 'opened' | 'closed'; readonly edge: Edge; readonly call: CallLabels }
  | { readonly kind: 'duration'; readonly edge: Edge; readonly call: CallLabels; readonly bucket: number }
  | { readonly kind: 'sent' | 'received' | 'overflow'; readonly edge: Edge }
  /** Of a node by itself: requests that it answered, ms that all these took, and ms that it waited for those it made. */
  | { readonly kind: 'own time'; readonly node: string; readonly of: 'answers' | 'answering' | 'waiting' }
  /** Of a node by itself: reports, and what the pools towards its application refused. */
  | { readonly kind: 'reports'; readonly node: string }
  | { readonly kind: 'own overflow'; readonly node: string }
  | { readonly kind: 'refused'; readonly node: string; readonly refusal: Refusal };

/** Edges at most, and counters of all of them. */
export interface TableBounds {
  readonly edges: number;
  readonly counters: number;
}

const TABLE_BOUNDS: TableBounds = { edges: 20_000, counters: 400_000 };

/** A proxy's report adds few; with one every 5 s of each of 100 proxies all are looked at in less than a minute. */
const EDGES_AT_ONCE = 20;

/** Counters have numbers, which are given anew when one was not used for as long as anything is kept. */
export class EdgeTable {
  /** Edges that were left out since they are too many, while they would still be kept: ids, with when they were last seen (ms since the epoch). */
  readonly leftOut = new Map<string, number>();
  private readonly bounds: TableBounds;
  private readonly counters: (Counter | undefined)[] = [];
  private readonly usedAt: number[] = [];
  private readonly free: number[] = [];
  /** By edge, then by what is counted of it. */
  private readonly edges = new Map<string, { readonly edge: Edge; readonly numbers: Map<string, number> }>();
  /** Those that are still to be looked at for what may be forgotten. */
  private looking = this.edges.entries();

  constructor(bounds: Partial<TableBounds> = {}) {
    this.bounds = { ...TABLE_BOUNDS, ...bounds };
  }

  /** Edges that are known. */
  get size(): number {
    return this.edges.size;
  }

  /** What a number stands for now. */
  counter(id: number): Counter | undefined {
    return this.counters[id];
  }

  /** More than the greatest number there is. */
  get length(): number {
    return this.counters.length;
  }

  /** The number of a counter; undefined when there is no room for it. @param key of the counter among those of the edge */
  number(edge: Edge, key: string, now: number, make: (edge: Edge) => Counter): number | undefined {
    const id = edgeId(edge);
    let entry = this.edges.get(id);
    if (entry === undefined) {
      if (this.edges.size >= this.bounds.edges) return this.leave(id, now);
      entry = { edge, numbers: new Map() };
      this.edges.set(id, entry);
    }
    let number = entry.numbers.get(key);
    if (number === undefined) {
      if (this.counters.length - this.free.length >= this.bounds.counters) return this.leave(id, now);
      number = this.free.pop() ?? this.counters.length;
      this.counters[number] = make(entry.edge);
      entry.numbers.set(key, number);
    }
    this.usedAt[number] = now;
    return number;
  }

  /**
   * Forgets counters that were last used before a moment: no slice may have them any more. Each time it looks at the next few edges, so that no moment pays
   * for all of them.
   */
  forget(before: number): void {
    for (let looked = 0; looked < EDGES_AT_ONCE; looked++) {
      const { value, done } = this.looking.next();
      if (done === true) {
        this.looking = this.edges.entries();
        for (const [id, at] of this.leftOut) if (at < before) this.leftOut.delete(id);
        return;
      }
      const [id, { numbers }] = value;
      this.forgetOf(numbers, before);
      if (numbers.size === 0) this.edges.delete(id);
    }
  }

  private forgetOf(numbers: Map<string, number>, before: number): void {
    for (const [key, number] of numbers) {
      if ((this.usedAt[number] ?? 0) >= before) continue;
      numbers.delete(key);
      this.counters[number] = undefined;
      this.free.push(number);
    }
  }

  private leave(id: string, now: number): undefined {
    if (this.leftOut.size < this.bounds.edges || this.leftOut.has(id)) this.leftOut.set(id, now);
    return undefined;
  }
}

/** `SOURCE>DESTINATION`, with `#tcp` behind it for connections of TCP. */
export function edgeId({ source, destination, transport }: Edge): string {
  return `${source}>${destination}${transport === 'tcp' ? '#tcp' : ''}`;
}
