import type { Series, SeriesView } from '../../api/view/series-view.ts';
import { Durations } from '../telemetry/durations.ts';
import type { Slice } from '../telemetry/history/counter-slices.ts';
import { type Counter, type Edge, edgeId } from '../telemetry/history/edge-table.ts';
import { type CountedPorts, countedCompleteness } from './completeness.ts';
import type { Figures, WindowFigures } from './figures.ts';
import { eachInTurns } from './turns.ts';
import type { SeriesSelection } from './view-source.ts';

/** Entries of a slice that are looked at in one piece. */
const PIECE = 2000;

/** What was counted of one node or edge in the time of one point. */
interface Point {
  requests: number;
  failures: number;
  readonly durations: Durations;
}

/** One node or edge over time. */
interface Track {
  readonly id: string;
  readonly points: (Point | undefined)[];
}

export interface OperatorFiguresPorts extends CountedPorts {
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
    const completeness = countedCompleteness(this.#ports, window.since, now);
    return { ...window, counted, growths: history.sum(window), completeness, knowsPools: completeness.complete };
  }

  /** @inheritDoc */
  async series(selection: SeriesSelection): Promise<SeriesView> {
    const { slices, table } = this.#ports.history;
    const now = this.#ports.now();
    slices.advance(now);
    const shortest = slices.granularity(selection.seconds);
    const stepMs = Math.max(shortest, Math.ceil((selection.seconds * 1000) / selection.points / shortest) * shortest);
    const count = Math.max(1, Math.ceil((selection.seconds * 1000) / stepMs));
    const until = Math.floor(now / stepMs) * stepMs;
    const since = until - count * stepMs;
    const tracks = new Tracks(selection);
    await eachInTurns(piecesOf(slices.within({ since, until })), ({ slice, first }) => {
      const point = Math.floor((slice.start - since) / stepMs);
      for (let index = first; index < Math.min(first + PIECE, slice.ids.length); index++) {
        const counter = table.counter(slice.ids[index] ?? 0);
        if (counter !== undefined) tracks.count(point, counter, slice.values[index] ?? 0);
      }
    });
    const seconds = stepMs / 1000;
    const series: Series[] = [];
    await eachInTurns(tracks.all(), (track) => series.push(toSeries(track, count, seconds, tracks.heard)));
    return { at: until, step: seconds, ...countedCompleteness(this.#ports, since, now), series };
  }
}

/** Nodes or edges over time, being added up. */
class Tracks {
  /** Points in which anything at all is known: some proxy reported. */
  readonly heard = new Set<number>();
  readonly #selection: SeriesSelection;
  /** By edge, or by node; undefined: it was not asked for. */
  readonly #tracks = new Map<Edge | string, Track | undefined>();

  constructor(selection: SeriesSelection) {
    this.#selection = selection;
  }

  count(point: number, counter: Counter, by: number): void {
    if (counter.kind === 'reports') this.heard.add(point);
    if (!('edge' in counter)) return;
    const track = this.#of(counter.edge);
    if (track === undefined) return;
    track.points[point] ??= { requests: 0, failures: 0, durations: new Durations() };
    count(track.points[point], counter, by);
  }

  /** What was asked for by its id is there even when it had no calls. */
  all(): Track[] {
    const found = [...this.#tracks.values()].filter((track) => track !== undefined);
    const { id } = this.#selection;
    return found.length > 0 || id === '*' ? found : [{ id, points: [] }];
  }

  #of(edge: Edge): Track | undefined {
    const { of, id: wanted } = this.#selection;
    const key = of === 'edge' ? edge : edge.destination;
    if (this.#tracks.has(key)) return this.#tracks.get(key);
    const id = of === 'edge' ? edgeId(edge) : edge.destination;
    const track = wanted === '*' || wanted === id ? { id, points: [] } : undefined;
    this.#tracks.set(key, track);
    return track;
  }
}

function* piecesOf(slices: readonly Slice[]): Generator<{ readonly slice: Slice; readonly first: number }> {
  for (const slice of slices) {
    for (let first = 0; first < slice.ids.length; first += PIECE) yield { slice, first };
  }
}

function count(point: Point, counter: Counter, by: number): void {
  if (counter.kind === 'duration') point.durations.addTo(counter.bucket, by);
  if (counter.kind !== 'calls' && counter.kind !== 'opened') return;
  point.requests += by;
  point.failures += counter.call.failed ? by : 0;
}

function toSeries({ id, points }: Track, count: number, seconds: number, heard: ReadonlySet<number>): Series {
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
