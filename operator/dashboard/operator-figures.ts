import type { Completeness } from '../../api/view/graph-view.ts';
import type { Series, SeriesView } from '../../api/view/series-view.ts';
import { Durations } from '../telemetry/durations.ts';
import type { Slice } from '../telemetry/history/counter-slices.ts';
import { type Counter, edgeId } from '../telemetry/history/edge-table.ts';
import type { TrafficHistory } from '../telemetry/history/traffic-history.ts';
import type { Figures, WindowFigures } from './figures.ts';
import type { SeriesSelection } from './view-source.ts';

/** Entries that are looked at before others get their turn. */
const ENTRIES_PER_TURN = 200_000;

/** What was counted of one node or edge in the time of one point. */
interface Point {
  requests: number;
  failures: number;
  readonly durations: Durations;
}

/** One node or edge over time. */
interface Track {
  readonly points: (Point | undefined)[];
}

export interface OperatorFiguresPorts {
  readonly history: TrafficHistory;
  /** What is not known of a window that begins at a moment (ms since the epoch): a sentence each. */
  missing(since: number, now: number): readonly string[];
  /** Since when anything is counted, in ms since the epoch. */
  readonly startedAt: number;
  now(): number;
}

/** What this operator counted itself. */
export class OperatorFigures implements Figures {
  readonly #ports: OperatorFiguresPorts;

  constructor(ports: OperatorFiguresPorts) {
    this.#ports = ports;
  }

  /** @inheritDoc */
  async window(seconds: number): Promise<WindowFigures> {
    const { history, startedAt } = this.#ports;
    const now = this.#ports.now();
    const window = history.slices.window(now, seconds);
    const since = Math.max(window.since, startedAt, history.slices.keptSince);
    const counted = Math.max(1, (window.until - since) / 1000);
    return { ...window, counted, growths: history.sum(window), completeness: this.#completeness(window.since, now) };
  }

  /** @inheritDoc */
  async series(selection: SeriesSelection): Promise<SeriesView> {
    const { slices } = this.#ports.history;
    const now = this.#ports.now();
    slices.advance(now);
    const shortest = slices.granularity(selection.seconds);
    const stepMs = Math.max(shortest, Math.ceil((selection.seconds * 1000) / selection.points / shortest) * shortest);
    const count = Math.max(1, Math.ceil((selection.seconds * 1000) / stepMs));
    const until = Math.floor(now / stepMs) * stepMs;
    const since = until - count * stepMs;
    const tracks = new Map<string, Track>();
    /** Points in which anything at all is known: some proxy reported. */
    const heard = new Set<number>();
    let looked = 0;
    for (const slice of slices.within({ since, until })) {
      const point = Math.floor((slice.start - since) / stepMs);
      this.#take(slice, point, selection, tracks, heard);
      looked += slice.ids.length;
      if (looked < ENTRIES_PER_TURN) continue;
      looked = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (selection.id !== '*' && !tracks.has(selection.id)) tracks.set(selection.id, { points: [] });
    const seconds = stepMs / 1000;
    return {
      at: until,
      step: seconds,
      ...this.#completeness(since, now),
      series: [...tracks].map(([id, track]) => toSeries(id, track, count, seconds, heard)),
    };
  }

  #completeness(since: number, now: number): Completeness {
    const missing = [...this.#ports.missing(since, now)];
    const { leftOut, size } = this.#ports.history.table;
    if (leftOut.size > 0) missing.push(`${leftOut.size} or more edges are left out: the operator keeps ${size}`);
    return { source: 'operator', complete: missing.length === 0, missing };
  }

  #take(
    slice: Slice,
    point: number,
    { of, id: wanted }: SeriesSelection,
    tracks: Map<string, Track>,
    heard: Set<number>,
  ) {
    for (let index = 0; index < slice.ids.length; index++) {
      const counter = this.#ports.history.table.counter(slice.ids[index] ?? 0);
      if (counter === undefined || counter.kind === 'refused') continue;
      if (counter.kind === 'reports') {
        heard.add(point);
        continue;
      }
      const id = of === 'edge' ? edgeId(counter.edge) : counter.edge.destination;
      if (wanted !== '*' && wanted !== id) continue;
      let track = tracks.get(id);
      if (track === undefined) {
        track = { points: [] };
        tracks.set(id, track);
      }
      track.points[point] ??= { requests: 0, failures: 0, durations: new Durations() };
      count(track.points[point], counter, slice.values[index] ?? 0);
    }
  }
}

function count(point: Point, counter: Counter, by: number): void {
  if (counter.kind === 'duration') point.durations.addTo(counter.bucket, by);
  if (counter.kind !== 'calls' && counter.kind !== 'opened') return;
  point.requests += by;
  point.failures += counter.call.failed ? by : 0;
}

function toSeries(id: string, { points }: Track, count: number, seconds: number, heard: ReadonlySet<number>): Series {
  const each = <T>(read: (point: Point | undefined) => T | undefined): (T | null)[] =>
    Array.from({ length: count }, (_, index) => (heard.has(index) ? (read(points[index]) ?? null) : null));
  return {
    id,
    perSecond: each((point) => (point?.requests ?? 0) / seconds),
    failuresPerSecond: each((point) => (point?.failures ?? 0) / seconds),
    p50Ms: each((point) => point?.durations.quantile(0.5)),
    p99Ms: each((point) => point?.durations.quantile(0.99)),
  };
}
