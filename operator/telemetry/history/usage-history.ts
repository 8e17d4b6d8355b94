import type { Series } from '../../../api/view/series-view.ts';
import { CounterSlices, type SliceSettings } from './counter-slices.ts';

/** CPU and memory that a node used at one moment. */
export interface NodeUsage {
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

export type UsagePoints = Required<Pick<Series, 'cpuCores' | 'memoryBytes'>>;

/** Of each node these counters follow one another: sums of what was told, of which means are made. */
const FIELDS = ['samples', 'cpuCores', 'memoryBytes'] as const;
/** Of one node, by point. */
type Sums = Readonly<Record<(typeof FIELDS)[number], Float64Array>>;
/** 6 MB at most. */
const MAX_ENTRIES = 500_000;
const MAX_NODES = 20_000;

/** What nodes used in the last hour, as far as anybody asked for it: nothing is asked for the sake of this. */
export class UsageHistory {
  readonly #slices: CounterSlices;
  /** The first counter of each node, and when it was last used, in ms since the epoch. */
  readonly #nodes = new Map<string, { readonly first: number; usedAt: number }>();
  readonly #free: number[] = [];
  #next = 0;

  /** @param slices how long it is kept, if not as the traffic is */
  constructor(slices: Partial<SliceSettings> = {}) {
    this.#slices = new CounterSlices({ maxEntries: MAX_ENTRIES, ...slices });
  }

  /** Takes what a node uses now. @param now ms since the epoch; never less than before */
  record(node: string, { cpuCores, memoryBytes }: NodeUsage, now: number): void {
    const first = this.#counterOf(node, now);
    if (first === undefined) return;
    for (const [index, value] of [1, cpuCores, memoryBytes].entries()) {
      if (value > 0) this.#slices.add(now, first + index, value);
    }
  }

  /**
   * What nodes used over time: means of what was told in the time of each point; null where nothing was.
   * @param at end of the last point, ms since the epoch @param step seconds from one to the next @param count of points
   */
  points(nodes: Iterable<string>, at: number, step: number, count: number): ReadonlyMap<string, UsagePoints> {
    this.#slices.advance(at);
    const since = at - count * step * 1000;
    const sums = new Map<string, Sums>();
    const byCounter = new Array<Float64Array | undefined>(this.#next);
    for (const node of nodes) {
      const { first } = this.#nodes.get(node) ?? {};
      if (first === undefined) continue;
      const zeros = () => new Float64Array(count);
      const own: Sums = { samples: zeros(), cpuCores: zeros(), memoryBytes: zeros() };
      sums.set(node, own);
      for (const [index, field] of FIELDS.entries()) byCounter[first + index] = own[field];
    }
    for (const { start, ids, values } of this.#slices.within({ since, until: at })) {
      const point = Math.floor((start - since) / (step * 1000));
      for (let index = 0; index < ids.length; index++) {
        const sum = byCounter[ids[index] ?? 0];
        if (sum !== undefined) sum[point] = (sum[point] ?? 0) + (values[index] ?? 0);
      }
    }
    const found = new Map<string, UsagePoints>();
    for (const [node, { samples, cpuCores, memoryBytes }] of sums) {
      if (!samples.some((told) => told > 0)) continue;
      const means = (sum: Float64Array) =>
        Array.from(samples, (told, point) => (told === 0 ? null : (sum[point] ?? 0) / told));
      found.set(node, { cpuCores: means(cpuCores), memoryBytes: means(memoryBytes) });
    }
    return found;
  }

  #counterOf(node: string, now: number): number | undefined {
    const known = this.#nodes.get(node);
    if (known !== undefined) {
      known.usedAt = now;
      return known.first;
    }
    if (this.#nodes.size >= MAX_NODES) this.#forget(now);
    if (this.#nodes.size >= MAX_NODES) return undefined;
    const first = this.#free.pop() ?? this.#next;
    if (first === this.#next) this.#next += FIELDS.length;
    this.#nodes.set(node, { first, usedAt: now });
    return first;
  }

  /** Gives counters of nodes that no slice has any more to others. */
  #forget(now: number): void {
    const { keepMs, coarseMs } = this.#slices.settings;
    for (const [node, { first, usedAt }] of this.#nodes) {
      if (usedAt >= now - keepMs - coarseMs) continue;
      this.#nodes.delete(node);
      this.#free.push(first);
    }
  }
}
