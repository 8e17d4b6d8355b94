import { Durations } from './durations.ts';

/** What was counted of one subject in one slice of time. */
export interface Cell {
  requests: number;
  failures: number;
  readonly durations: Durations;
}

/** What was counted from one moment to another, of each subject. */
interface Slice {
  readonly cells: Map<string, Cell>;
  /** Index of the first second that is no longer in it. */
  end: number;
}

const SLICE_MS = 1_000;
const KEEP_MS = 15 * 60_000;
/** About 300 bytes each. */
const MAX_CELLS = 200_000;
/** With more, older slices become longer. */
const MANY_CELLS = 100_000;
/** After so many new cells two slices are made one: more go than come, and none of it takes long. */
const MERGE_EVERY = 1000;
/** A slice may be as long as this part of its age. */
const COARSENESS = 1 / 6;

/**
 * Counts by time, in slices of a second, of the last quarter of an hour. When more is counted than fits, older slices become longer: a window then lacks at
 * most an eighth of itself at its beginning, rather than all that came before the last minute. What does not fit even so is forgotten, the oldest first.
 */
export class TimeSlices {
  /** By the index of their first second, oldest first. */
  private readonly slices = new Map<number, Slice>();
  private cells = 0;
  /** Cells that were ever made. */
  private made = 0;
  private forgottenUntil = 0;

  /** Nothing before this moment is kept (ms since the epoch). */
  get keptSince(): number {
    return this.forgottenUntil;
  }

  /** The cell of a subject at a moment; made when it is not there. */
  cell(at: number, subject: string): Cell {
    const index = Math.floor(at / SLICE_MS);
    let slice = this.slices.get(index);
    if (slice === undefined) {
      slice = { cells: new Map(), end: index + 1 };
      this.slices.set(index, slice);
    }
    let cell = slice.cells.get(subject);
    if (cell === undefined) {
      cell = { requests: 0, failures: 0, durations: new Durations() };
      slice.cells.set(subject, cell);
      this.cells++;
      this.made++;
      if (this.cells > MANY_CELLS && this.made % MERGE_EVERY === 0) this.mergeTwo(index);
      if (this.cells > MAX_CELLS) this.dropOldest();
    }
    return cell;
  }

  /** Visits the cells of a subject whose slices begin in [since, until), ms since the epoch: adjoining windows share none. */
  each(since: number, until: number, subject: string, visit: (cell: Cell) => void): void {
    for (const { cells } of this.within(since, until)) {
      const cell = cells.get(subject);
      if (cell !== undefined) {
        visit(cell);
      }
    }
  }

  /** Forgets what is too old at a moment. */
  prune(now: number): void {
    for (const { end } of this.slices.values()) {
      if (end * SLICE_MS >= now - KEEP_MS) {
        return;
      }
      this.dropOldest();
    }
  }

  /** Goes by the window's slices where they are fewer than all that are kept: a short window costs little, however much is kept. */
  private *within(since: number, until: number): Generator<Slice> {
    const first = Math.ceil(since / SLICE_MS);
    const end = Math.ceil(until / SLICE_MS);
    if (end - first > this.slices.size) {
      for (const [index, slice] of this.slices) if (index >= first && index < end) yield slice;
      return;
    }
    for (let index = first; index < end; index++) {
      const slice = this.slices.get(index);
      if (slice !== undefined) yield slice;
    }
  }

  /** Makes one of the oldest two slices that may be. @param now index of the present second */
  private mergeTwo(now: number): void {
    let earlier: [number, Slice] | undefined;
    for (const [index, slice] of this.slices) {
      if (earlier !== undefined && slice.end - earlier[0] <= (now - slice.end) * COARSENESS) {
        this.merge(earlier[1], slice);
        this.slices.delete(index);
        return;
      }
      earlier = [index, slice];
    }
  }

  /** Adds a slice to the one before it. */
  private merge(earlier: Slice, later: Slice): void {
    for (const [subject, cell] of later.cells) {
      const known = earlier.cells.get(subject);
      if (known === undefined) {
        earlier.cells.set(subject, cell);
        continue;
      }
      known.requests += cell.requests;
      known.failures += cell.failures;
      known.durations.merge(cell.durations);
      this.cells--;
    }
    earlier.end = later.end;
  }

  private dropOldest(): void {
    for (const [oldest, { cells, end }] of this.slices) {
      this.cells -= cells.size;
      this.slices.delete(oldest);
      this.forgottenUntil = Math.max(this.forgottenUntil, end * SLICE_MS);
      return;
    }
  }
}
