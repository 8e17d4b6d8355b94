import { BinaryReader } from '@bufbuild/protobuf/wire';
import { BoundedReader } from '../ads/bounded-reader.ts';
import { dryRunKey, isDryRunFamily } from './dry-run.ts';
import { counterFlow, type Flow, flowKey, sizeFlow } from './flow-series.ts';
import { isOverflowFamily, type OpenSample, openThing, overflowKey } from './open-series.ts';
import { isRefusalFamily, refusalKey } from './refusals.ts';

/** One time series of a flush: its labels as the bytes that came, which are the same each time. */
export interface Sample<Value> {
  /** The encoded labels, a character per byte: equal labels have an equal key. */
  readonly key: string;
  readonly value: Value;
}

/** Requests of the last interval by duration: how many took at most so many ms. */
export interface DurationBuckets {
  readonly total: number;
  /** What all of them took together, in ms: Envoy's estimate, within 5 %. Absent where it was not told. */
  readonly sumMs?: number;
  readonly buckets: readonly { readonly upperMs: number; readonly cumulative: number }[];
}

/** A proxy's `server.uptime`. */
export interface Uptime {
  readonly seconds: number;
  /** When it began by the proxy's own clock, in ms since the epoch. */
  readonly processStart: number;
}

/** What is read of an `envoy.service.metrics.v3.StreamMetricsMessage`. */
export interface MetricsMessage {
  /** The message names its sender: it is the first of its stream. */
  readonly first: boolean;
  /** How long the proxy has been up; undefined when the message does not tell. */
  readonly uptime: Uptime | undefined;
  /** Of requests, of policies in dry run (see `dry-run.ts`), of what policies (`refusals.ts`) and pools (`open-series.ts`) refused, and of TCP (`flow-series.ts`). */
  readonly requests: readonly Sample<number>[];
  readonly durations: readonly Sample<DurationBuckets>[];
  /** Bytes of the last interval (`flow-series.ts`); absent: none. */
  readonly sizes?: readonly Sample<number>[];
  /** What is open now (`open-series.ts`); absent: nothing was told of it. */
  readonly open?: readonly OpenSample[];
}

const REQUESTS = 'istio_requests_total';
const DURATIONS = 'istio_request_duration_milliseconds';
const UPTIME = 'server.uptime';
const NOTHING = new BoundedReader(new Uint8Array());

/**
 * Decodes a message of Envoy's metrics service (families of `io.prometheus.client`); families other than the mesh's, the uptime and what policies in
 * dry run would have come to are skipped. Names may carry a scope in front (`envoy_`, `wasmcustom_`).
 * @throws RangeError or Error from the reader when the bytes are no protobuf, or have too many parts
 */
export function decodeMetricsMessage(bytes: Uint8Array): MetricsMessage {
  const reader = new BoundedReader(bytes);
  const samples: Samples = { uptime: undefined, requests: [], durations: [], sizes: [], open: [] };
  let first = false;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 2) {
      takeFamily(decodeFamily(reader.nested()), samples);
    } else {
      first ||= field === 1;
      reader.skip(wireType);
    }
  }
  return { first, ...samples };
}

interface Samples {
  uptime: Uptime | undefined;
  readonly requests: Sample<number>[];
  readonly durations: Sample<DurationBuckets>[];
  readonly sizes: Sample<number>[];
  readonly open: OpenSample[];
}

function takeFamily({ name, metrics }: { name: string; metrics: readonly RawMetric[] }, into: Samples): void {
  if (metrics.length === 0) return;
  const isDryRun = isDryRunFamily(name);
  const [flow, size, thing] = [counterFlow(name), sizeFlow(name), openThing(name)];
  for (const metric of metrics) {
    if (name === UPTIME) {
      const seconds = decodeNumber(metric.gauge);
      into.uptime = { seconds, processStart: metric.timestampMs - seconds * 1000 };
    } else if (thing !== undefined) {
      into.open.push({ thing, key: metric.key, value: decodeNumber(metric.gauge), at: metric.timestampMs });
    } else if (size !== undefined) {
      const value = decodeSum(metric.histogram);
      if (value > 0) into.sizes.push({ key: flowKey(size, 'http', metric.key), value });
    } else if (name.endsWith(DURATIONS)) {
      into.durations.push({ key: metric.key, value: decodeHistogram(metric.histogram) });
    } else {
      const key = isDryRun ? dryRunKey(name, metric.key) : counterKey(name, flow, metric.key);
      if (key !== undefined) into.requests.push({ key, value: decodeNumber(metric.counter) });
    }
  }
}

function counterKey(name: string, flow: Flow | undefined, labels: string): string {
  if (isRefusalFamily(name)) return refusalKey(labels);
  if (isOverflowFamily(name)) return overflowKey(labels);
  return flow === undefined ? labels : flowKey(flow, 'tcp', labels);
}

/** The labels of a key. */
export function decodeLabels(key: string): ReadonlyMap<string, string> {
  const reader = new BinaryReader(Buffer.from(key, 'latin1'));
  const labels = new Map<string, string>();
  while (reader.pos < reader.len) {
    reader.tag();
    const pair = new BinaryReader(reader.bytes());
    let name = '';
    let value = '';
    while (pair.pos < pair.len) {
      const [field, wireType] = pair.tag();
      if (field === 1) {
        name = pair.string();
      } else if (field === 2) {
        value = pair.string();
      } else {
        pair.skip(wireType);
      }
    }
    labels.set(name, value);
  }
  return labels;
}

interface RawMetric {
  readonly key: string;
  readonly counter: BoundedReader | undefined;
  readonly gauge: BoundedReader | undefined;
  readonly histogram: BoundedReader | undefined;
  readonly timestampMs: number;
}

function decodeFamily(reader: BoundedReader): { name: string; metrics: RawMetric[] } {
  const metrics: RawMetric[] = [];
  let name = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      name = reader.string();
      if (!isRead(name)) return { name, metrics };
    } else if (field === 4) {
      metrics.push(decodeMetric(reader.nested()));
    } else {
      reader.skip(wireType);
    }
  }
  return { name, metrics };
}

function isRead(name: string): boolean {
  if ([UPTIME, REQUESTS, DURATIONS].some((one) => name.endsWith(one))) return true;
  if (counterFlow(name) !== undefined || sizeFlow(name) !== undefined) return true;
  if (openThing(name) !== undefined || isOverflowFamily(name)) return true;
  return isRefusalFamily(name) || isDryRunFamily(name);
}

function decodeMetric(reader: BoundedReader): RawMetric {
  let labelsEnd = 0;
  let counter: BoundedReader | undefined;
  let gauge: BoundedReader | undefined;
  let histogram: BoundedReader | undefined;
  let timestampMs = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      reader.skip(wireType);
      labelsEnd = reader.pos;
    } else if (field === 2) {
      gauge = reader.nested();
    } else if (field === 3) {
      counter = reader.nested();
    } else if (field === 6) {
      timestampMs = Number(reader.int64());
    } else if (field === 7) {
      histogram = reader.nested();
    } else {
      reader.skip(wireType);
    }
  }
  const key = reader.begin(labelsEnd).toString('latin1');
  return { key, counter, gauge, histogram, timestampMs };
}

/** `Counter.value` and `Gauge.value` are field 1, a double. */
function decodeNumber(reader: BoundedReader = NOTHING): number {
  let value = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      value = reader.double();
    } else {
      reader.skip(wireType);
    }
  }
  return Number.isFinite(value) && value > 0 ? value : 0;
}

/** `Histogram.sample_sum` is field 2. */
function decodeSum(reader: BoundedReader = NOTHING): number {
  let sum = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 2) sum = reader.double();
    else reader.skip(wireType);
  }
  return Number.isFinite(sum) && sum > 0 ? sum : 0;
}

function decodeHistogram(reader: BoundedReader = NOTHING): DurationBuckets {
  const buckets: { upperMs: number; cumulative: number }[] = [];
  let total = 0;
  let sum = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      total = Number(reader.uint64());
    } else if (field === 2) {
      sum = reader.double();
    } else if (field === 3) {
      buckets.push(decodeBucket(reader.nested()));
    } else {
      reader.skip(wireType);
    }
  }
  return { total, ...(Number.isFinite(sum) && sum > 0 ? { sumMs: sum } : {}), buckets };
}

function decodeBucket(reader: BoundedReader): { upperMs: number; cumulative: number } {
  let cumulative = 0;
  let upperMs = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      cumulative = Number(reader.uint64());
    } else if (field === 2) {
      upperMs = reader.double();
    } else {
      reader.skip(wireType);
    }
  }
  return { upperMs, cumulative };
}
