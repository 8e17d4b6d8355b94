/** What was counted from one moment to another: of each counter that changed, by how much. Numbers of counters ascend. */
export interface Slice {
  /** In ms since the epoch. */
  readonly start: number;
  readonly ids: Uint32Array;
  readonly values: Float64Array;
}

export interface SliceSettings {
  /** Length of a young slice, and how long slices are young, in ms. */
  readonly fineMs: number;
  readonly fineKeepMs: number;
  /** Length of an old slice: a multiple of `fineMs`. */
  readonly coarseMs: number;
  /** How long anything is kept, in ms. */
  readonly keepMs: number;
  /** Entries (12 bytes each) of all slices together; with more, the oldest slice is forgotten. */
  readonly maxEntries: number;
}

const SLICE_SETTINGS: SliceSettings = {
  fineMs: 5000,
  fineKeepMs: 600_000,
  coarseMs: 60_000,
  keepMs: 3_600_000,
  maxEntries: 4_000_000,
};

/** So many slices are put together each time one ends: more than come, so that none stay. */
const FOLDS = 2;

/** A window of whole slices, [since, until) in ms since the epoch. */
export interface SliceWindow {
  readonly since: number;
  readonly until: number;
}

/**
 * Increments of numbered counters over time. A slice holds what changed in it and nothing else, so its cost is that of what happened. Slices are short at
 * first and are put together as they age, a few at a time, so that no moment pays for many.
 */
export class CounterSlices {
  readonly settings: SliceSettings;
  /** Entries of the slices that are over. */
  entries = 0;
  /** What grew since the slice began, by number, and how many did. */
  private open = new Float64Array(1024);
  private grown = 0;
  private openStart = 0;
  private fine: Slice[] = [];
  private coarse: Slice[] = [];
  private forgottenUntil = 0;

  constructor(settings: Partial<SliceSettings> = {}) {
    this.settings = { ...SLICE_SETTINGS, ...settings };
  }

  /** Nothing before this moment is kept (ms since the epoch). */
  get keptSince(): number {
    return this.forgottenUntil;
  }

  /** Adds to a counter. @param now ms since the epoch; never less than before @param by more than 0 */
  add(now: number, id: number, by: number): void {
    this.advance(now);
    if (id >= this.open.length) {
      const longer = new Float64Array(id * 2);
      longer.set(this.open);
      this.open = longer;
    }
    const before = this.open[id] ?? 0;
    if (before === 0) this.grown++;
    this.open[id] = before + by;
  }

  /** Takes in what time it is: ends the slice that is over, and puts together or forgets what is old. */
  advance(now: number): void {
    const { fineMs } = this.settings;
    const start = Math.floor(now / fineMs) * fineMs;
    if (start <= this.openStart) return;
    if (this.grown > 0) {
      this.fine.push(pack(this.openStart, this.open, this.grown));
      this.entries += this.grown;
      this.open.fill(0);
      this.grown = 0;
    }
    this.openStart = start;
    this.age(start);
  }

  /**
   * The window of whole slices that ends with the newest one that is over.
   * @param seconds how long it is to be; it may come out longer by one slice
   */
  window(now: number, seconds: number): SliceWindow {
    this.advance(now);
    const until = this.openStart;
    const since = until - seconds * 1000;
    const { coarseMs, fineMs } = this.settings;
    const length = since < this.fineSince(until) ? coarseMs : fineMs;
    return { since: Math.floor(since / length) * length, until };
  }

  /** Length of the shortest slices that a window of so many seconds has, in ms. */
  granularity(seconds: number): number {
    return seconds * 1000 > this.settings.fineKeepMs ? this.settings.coarseMs : this.settings.fineMs;
  }

  /** The slices that begin in a window, oldest first; as they are now, however long one takes to read them. */
  within({ since, until }: SliceWindow): Slice[] {
    return [...this.coarse, ...this.fine].filter(({ start }) => start >= since && start < until);
  }

  /** Slices younger than this are short ones. */
  private fineSince(now: number): number {
    const { coarseMs, fineKeepMs } = this.settings;
    return Math.floor((now - fineKeepMs) / coarseMs) * coarseMs;
  }

  private age(now: number): void {
    const limit = this.fineSince(now);
    for (let folds = 0; folds < FOLDS && this.fine[0] !== undefined && this.fine[0].start < limit; folds++) {
      this.fold(this.fine.shift() as Slice);
    }
    while (this.isPast(now)) this.forget(this.coarse.length > 0 ? this.coarse : this.fine);
  }

  /** Whether the oldest slice is to be forgotten: it is too old, or all are too much. */
  private isPast(now: number): boolean {
    const { keepMs, maxEntries } = this.settings;
    const oldest = this.coarse[0] ?? this.fine[0];
    if (oldest === undefined) return false;
    return oldest.start < now - keepMs || (this.entries > maxEntries && this.coarse.length + this.fine.length > 1);
  }

  private fold(slice: Slice): void {
    const start = Math.floor(slice.start / this.settings.coarseMs) * this.settings.coarseMs;
    const last = this.coarse.at(-1);
    if (last?.start !== start) {
      this.coarse.push({ ...slice, start });
      return;
    }
    const merged = merge(last, slice);
    this.entries += merged.ids.length - last.ids.length - slice.ids.length;
    this.coarse[this.coarse.length - 1] = merged;
  }

  private forget(slices: Slice[]): void {
    const [oldest] = slices.splice(0, 1);
    if (oldest === undefined) return;
    this.entries -= oldest.ids.length;
    const length = slices === this.coarse ? this.settings.coarseMs : this.settings.fineMs;
    this.forgottenUntil = Math.max(this.forgottenUntil, oldest.start + length);
  }
}

function pack(start: number, counts: Float64Array, grown: number): Slice {
  const ids = new Uint32Array(grown);
  const values = new Float64Array(grown);
  let length = 0;
  for (let id = 0; id < counts.length && length < grown; id++) {
    const by = counts[id] ?? 0;
    if (by === 0) continue;
    ids[length] = id;
    values[length++] = by;
  }
  return { start, ids, values };
}

/** Both together, in one pass. */
function merge(a: Slice, b: Slice): Slice {
  const ids = new Uint32Array(a.ids.length + b.ids.length);
  const values = new Float64Array(ids.length);
  let [i, j, length] = [0, 0, 0];
  while (i < a.ids.length || j < b.ids.length) {
    const left = a.ids[i] ?? Number.POSITIVE_INFINITY;
    const right = b.ids[j] ?? Number.POSITIVE_INFINITY;
    ids[length] = Math.min(left, right);
    values[length] = (left <= right ? (a.values[i] ?? 0) : 0) + (right <= left ? (b.values[j] ?? 0) : 0);
    if (left <= right) i++;
    if (right <= left) j++;
    length++;
  }
  return { start: a.start, ids: ids.slice(0, length), values: values.slice(0, length) };
}
