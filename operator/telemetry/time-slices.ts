import { Durations } from './durations.ts';

/** What was counted of one subject in one slice of time. */
export interface Cell {
  requests: number;
  failures: number;
  readonly durations: Durations;
}

const SLICE_MS = 1_000;
const KEEP_MS = 15 * 60_000;
/** About 300 bytes each; the oldest slices go first. */
const MAX_CELLS = 200_000;

/** Counts by time, in slices of a second; the last quarter of an hour, or less when more is counted than fits. */
export class TimeSlices {
  private readonly slices = new Map<number, Map<string, Cell>>();
  private cells = 0;
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
      slice = new Map();
      this.slices.set(index, slice);
    }
    let cell = slice.get(subject);
    if (cell === undefined) {
      cell = { requests: 0, failures: 0, durations: new Durations() };
      slice.set(subject, cell);
      this.cells++;
      if (this.cells > MAX_CELLS) {
        this.dropOldest();
      }
    }
    return cell;
  }

  /** Visits the cells of a subject whose slices begin in [since, until), ms since the epoch: adjoining windows share none. */
  each(since: number, until: number, subject: string, visit: (cell: Cell) => void): void {
    for (const slice of this.within(since, until)) {
      const cell = slice.get(subject);
      if (cell !== undefined) {
        visit(cell);
      }
    }
  }

  /** Forgets what is too old at a moment. */
  prune(now: number): void {
    for (const index of this.slices.keys()) {
      if ((index + 1) * SLICE_MS >= now - KEEP_MS) {
        return;
      }
      this.dropOldest();
    }
  }

  /** Goes by the window's slices where they are fewer than all that are kept: a short window costs little, however much is kept. */
  private *within(since: number, until: number): Generator<Map<string, Cell>> {
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

  private dropOldest(): void {
    const [oldest] = this.slices.keys();
    if (oldest === undefined) {
      return;
    }
    this.cells -= this.slices.get(oldest)?.size ?? 0;
    this.slices.delete(oldest);
    this.forgottenUntil = Math.max(this.forgottenUntil, (oldest + 1) * SLICE_MS);
  }
}
