import type { Completeness } from '../../api/view/graph-view.ts';
import type { Series, SeriesView } from '../../api/view/series-view.ts';
import { bucketCounts } from '../telemetry/durations.ts';
import type { CallLabels } from '../telemetry/history/call-labels.ts';
import { type Edge, edgeId } from '../telemetry/history/edge-table.ts';
import type { Growth, NodeNames } from '../telemetry/history/traffic-history.ts';
import type { CountedPools } from './counted-pools.ts';
import type { Figures, WindowFigures } from './figures.ts';
import { PrometheusError, type PromRange, type PromSample } from './prometheus-answer.ts';
import { EDGE_LABELS, OUTCOME_LABELS, PrometheusCalls } from './prometheus-calls.ts';
import type { PrometheusClient } from './prometheus-client.ts';
import type { SeriesSelection } from './view-source.ts';

/** Rates are taken over so many seconds at least: scrapes may be 30 s apart. */
const RATE_SECONDS = 60;
const DURATIONS = 'istio_request_duration_milliseconds';
const BUCKETS = `${DURATIONS}_bucket`;

/** What is added up without a look at how calls went. */
const SUMS = [
  { metric: 'istio_request_bytes_sum', kind: 'sent', transport: 'http' },
  { metric: 'istio_tcp_received_bytes_total', kind: 'sent', transport: 'tcp' },
  { metric: 'istio_response_bytes_sum', kind: 'received', transport: 'http' },
  { metric: 'istio_tcp_sent_bytes_total', kind: 'received', transport: 'tcp' },
] as const;

type Client = Pick<PrometheusClient, 'query' | 'range'>;

/** What a Prometheus has of the sidecars' metrics. */
export class PrometheusFigures implements Figures {
  readonly #client: Client;
  readonly #names: Pick<NodeNames, 'ofService' | 'hasSidecars'>;
  readonly #pools: CountedPools;
  readonly #now: () => number;

  /** @param pools what pools refused, which the operator counts itself @param now ms since the epoch */
  constructor(
    client: Client,
    names: Pick<NodeNames, 'ofService' | 'hasSidecars'>,
    pools: CountedPools,
    now: () => number,
  ) {
    this.#client = client;
    this.#names = names;
    this.#pools = pools;
    this.#now = now;
  }

  /** @inheritDoc */
  async window(seconds: number): Promise<WindowFigures> {
    const at = Math.floor(this.#now() / 1000);
    const grown = (metric: string, labels: readonly string[]): Promise<PromSample[]> =>
      this.#client.query(`sum by (${[...EDGE_LABELS, ...labels].join(', ')}) (increase(${metric}[${seconds}s]))`, at);
    const missing = new Set<string>();
    const [requests, buckets, opened, closed, times, ...sums] = await Promise.all(
      [
        grown('istio_requests_total', OUTCOME_LABELS),
        grown(BUCKETS, ['le']),
        grown('istio_tcp_connections_opened_total', OUTCOME_LABELS),
        grown('istio_tcp_connections_closed_total', OUTCOME_LABELS),
        grown(`${DURATIONS}_sum`, []),
        ...SUMS.map(({ metric }) => grown(metric, [])),
      ].map((asked) => asked.catch((error: unknown) => note(error, missing))),
    );
    const calls = new PrometheusCalls(this.#names);
    const overflows = this.#pools.overflows(seconds, this.#now());
    const growths = [
      ...countsOf(requests ?? [], calls, 'calls'),
      ...durationsOf(buckets ?? [], calls),
      ...countsOf(opened ?? [], calls, 'opened'),
      ...countsOf(closed ?? [], calls, 'closed'),
      ...ownTimesOf(buckets ?? [], times ?? [], calls),
      ...SUMS.flatMap(({ kind, transport }, index) => [...sumsOf(sums[index] ?? [], calls, kind, transport)]),
      ...overflows.growths,
    ];
    return {
      since: (at - seconds) * 1000,
      until: at * 1000,
      counted: seconds,
      growths,
      completeness: completeness(missing),
      knowsPools: overflows.complete,
    };
  }

  /** @inheritDoc */
  async series({ of, id: wanted, seconds, points }: SeriesSelection): Promise<SeriesView> {
    const step = Math.max(5, Math.ceil(seconds / points));
    const count = Math.max(1, Math.ceil(seconds / step));
    const end = Math.floor(this.#now() / 1000 / step) * step;
    const window = { start: end - (count - 1) * step, end, step };
    const missing = new Set<string>();
    const rates = (metric: string, labels: readonly string[]): Promise<PromRange[]> => {
      const rate = `rate(${metric}[${Math.max(step, RATE_SECONDS)}s])`;
      const asked = this.#client.range(`sum by (${[...EDGE_LABELS, ...labels].join(', ')}) (${rate})`, window);
      return asked.catch((error: unknown) => note(error, missing));
    };
    const [requests, opened, buckets] = await Promise.all([
      rates('istio_requests_total', OUTCOME_LABELS),
      rates('istio_tcp_connections_opened_total', OUTCOME_LABELS),
      rates(BUCKETS, ['le']),
    ]);
    const calls = new PrometheusCalls(this.#names);
    const tracks = new Map<string, Track>();
    const trackOf = (edge: Edge): Track | undefined => {
      const id = of === 'edge' ? edgeId(edge) : edge.destination;
      if (wanted !== '*' && wanted !== id) return undefined;
      const track = tracks.get(id) ?? new Track(count);
      tracks.set(id, track);
      return track;
    };
    const each = (ranges: readonly PromRange[], transport: 'http' | 'tcp', add: AddValue): void => {
      for (const { metric, values } of ranges) {
        const read = calls.read(metric, transport);
        const track = read && trackOf(read.edge);
        if (read === undefined || track === undefined) continue;
        for (const [at, value] of values) add(track, Math.round((at - window.start) / step), value, read.call, metric);
      }
    };
    each(requests, 'http', addRate);
    each(opened, 'tcp', addRate);
    each(buckets, 'http', (track, point, value, _, { le = '' }) => track.bucket(point, bound(le), value));
    // What was asked for by its id is there, though nothing is known of it: what a node uses is shown beside.
    if (wanted !== '*' && !tracks.has(wanted)) tracks.set(wanted, new Track(count));
    const series = [...tracks].map(([id, track]) => track.view(id));
    return { at: end * 1000, step, ...completeness(missing), series };
  }
}

type AddValue = (track: Track, point: number, value: number, call: CallLabels, metric: PromRange['metric']) => void;

const addRate: AddValue = (track, point, value, { failed }) => track.rate(point, value, failed);

/** Values of one node or edge over time; null where Prometheus has none. */
class Track {
  readonly #perSecond: (number | null)[];
  readonly #failures: (number | null)[];
  /** Of each point the cumulative rates by upper bound in ms. */
  readonly #buckets: Map<number, number>[];

  constructor(count: number) {
    this.#perSecond = new Array<null>(count).fill(null);
    this.#failures = new Array<null>(count).fill(null);
    this.#buckets = Array.from({ length: count }, () => new Map());
  }

  rate(point: number, value: number, failed: boolean): void {
    if (!(point in this.#perSecond) || !Number.isFinite(value)) return;
    this.#perSecond[point] = (this.#perSecond[point] ?? 0) + value;
    this.#failures[point] = (this.#failures[point] ?? 0) + (failed ? value : 0);
  }

  bucket(point: number, upperMs: number, value: number): void {
    const bounds = this.#buckets[point];
    if (Number.isFinite(value)) bounds?.set(upperMs, (bounds.get(upperMs) ?? 0) + value);
  }

  view(id: string): Series {
    const quantiles = (share: number) => this.#buckets.map((bounds) => quantile(bounds, share));
    return {
      id,
      perSecond: this.#perSecond,
      failuresPerSecond: this.#failures,
      p50Ms: quantiles(0.5),
      p99Ms: quantiles(0.99),
    };
  }
}

/** As PromQL's `histogram_quantile` has it. */
function quantile(bounds: ReadonlyMap<number, number>, share: number): number | null {
  const sorted = [...bounds].sort(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  let [lower, below] = [0, 0];
  for (const [upper, cumulative] of sorted) {
    if (cumulative >= share * total && cumulative > below) {
      return upper === Number.POSITIVE_INFINITY
        ? lower
        : lower + ((upper - lower) * (share * total - below)) / (cumulative - below);
    }
    [lower, below] = [upper, cumulative];
  }
  return lower;
}

function* countsOf(
  samples: readonly PromSample[],
  calls: PrometheusCalls,
  kind: 'calls' | 'opened' | 'closed',
): Generator<Growth> {
  const transport = kind === 'calls' ? 'http' : 'tcp';
  for (const { metric, value } of samples) {
    const read = value > 0 ? calls.read(metric, transport) : undefined;
    // Prometheus extrapolates to the window's ends; there are no halves of requests.
    if (read !== undefined && Math.round(value) > 0) yield { counter: { kind, ...read }, by: Math.round(value) };
  }
}

function* sumsOf(
  samples: readonly PromSample[],
  calls: PrometheusCalls,
  kind: 'sent' | 'received',
  transport: 'http' | 'tcp',
): Generator<Growth> {
  for (const { metric, value } of samples) {
    const read = value > 0 ? calls.read(metric, transport) : undefined;
    if (read !== undefined) yield { counter: { kind, edge: read.edge }, by: value };
  }
}

/** @param buckets the last of each histogram has all requests @param times what they took, in ms */
function* ownTimesOf(
  buckets: readonly PromSample[],
  times: readonly PromSample[],
  calls: PrometheusCalls,
): Generator<Growth> {
  for (const { metric, value } of buckets) {
    const own = metric.le === '+Inf' && value > 0 ? calls.own(metric) : undefined;
    if (own?.side === 'server') yield { counter: { kind: 'own time', node: own.node, of: 'answers' }, by: value };
  }
  for (const { metric, value } of times) {
    const own = value > 0 ? calls.own(metric) : undefined;
    if (own === undefined) continue;
    const of = own.side === 'server' ? 'answering' : 'waiting';
    yield { counter: { kind: 'own time', node: own.node, of }, by: value };
  }
}

function* durationsOf(samples: readonly PromSample[], calls: PrometheusCalls): Generator<Growth> {
  /** Of each edge, by revision. */
  const histograms = new Map<string, { edge: Edge; call: CallLabels; bounds: Map<number, number> }>();
  for (const { metric, value } of samples) {
    const read = calls.read(metric, 'http');
    if (read === undefined || !(value > 0)) continue;
    const key = `${edgeId(read.edge)}|${read.call.service}|${read.call.revision}`;
    const histogram = histograms.get(key) ?? { ...read, bounds: new Map<number, number>() };
    histograms.set(key, histogram);
    const upper = bound(metric.le ?? '');
    histogram.bounds.set(upper, (histogram.bounds.get(upper) ?? 0) + value);
  }
  for (const { edge, call, bounds } of histograms.values()) {
    const sorted = [...bounds].sort(([a], [b]) => a - b);
    const total = Math.round(sorted.at(-1)?.[1] ?? 0);
    const finite = sorted.filter(([upper]) => Number.isFinite(upper));
    const buckets = finite.map(([upperMs, cumulative]) => ({ upperMs, cumulative: Math.round(cumulative) }));
    for (const [bucket, by] of bucketCounts({ total, buckets }))
      yield { counter: { kind: 'duration', edge, call, bucket }, by };
  }
}

function bound(le: string): number {
  return le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
}

function note(error: unknown, missing: Set<string>): never[] {
  if (!(error instanceof PrometheusError)) throw error;
  missing.add(error.message);
  return [];
}

function completeness(missing: ReadonlySet<string>): Completeness {
  return { source: 'prometheus', complete: missing.size === 0, missing: [...missing] };
}
