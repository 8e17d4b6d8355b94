import { BinaryReader } from '@bufbuild/protobuf/wire';
import { dryRunKey, isDryRunFamily } from './dry-run.ts';

/** One time series of a flush: its labels as the bytes that came, which are the same each time. */
export interface Sample<Value> {
  /** The encoded labels, a character per byte: equal labels have an equal key. */
  readonly key: string;
  readonly value: Value;
}

/** Requests of the last interval by duration: how many took at most so many ms. */
export interface DurationBuckets {
  readonly total: number;
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
  /** Of requests, and of policies in dry run (see `dry-run.ts`). */
  readonly requests: readonly Sample<number>[];
  readonly durations: readonly Sample<DurationBuckets>[];
}

const REQUESTS = 'istio_requests_total';
const DURATIONS = 'istio_request_duration_milliseconds';
const UPTIME = 'server.uptime';

/**
 * Decodes a message of Envoy's metrics service (families of `io.prometheus.client`); families other than the mesh's two, the uptime and what policies in
 * dry run would have come to are skipped. Names may carry a scope in front (`envoy_`, `wasmcustom_`).
 * @throws RangeError or Error from the reader when the bytes are no protobuf
 */
export function decodeMetricsMessage(bytes: Uint8Array): MetricsMessage {
  const reader = new BinaryReader(bytes);
  const requests: Sample<number>[] = [];
  const durations: Sample<DurationBuckets>[] = [];
  let first = false;
  let uptime: Uptime | undefined;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 2) {
      const { name, metrics } = decodeFamily(reader.bytes());
      for (const metric of metrics) {
        if (name === UPTIME) {
          const seconds = decodeNumber(metric.gauge);
          uptime = { seconds, processStart: metric.timestampMs - seconds * 1000 };
        } else if (isDryRunFamily(name)) {
          const key = dryRunKey(name, metric.key);
          if (key !== undefined) requests.push({ key, value: decodeNumber(metric.counter) });
        } else if (name.endsWith(REQUESTS)) {
          requests.push({ key: metric.key, value: decodeNumber(metric.counter) });
        } else {
          durations.push({ key: metric.key, value: decodeHistogram(metric.histogram) });
        }
      }
    } else {
      first ||= field === 1;
      reader.skip(wireType);
    }
  }
  return { first, uptime, requests, durations };
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
  readonly counter: Uint8Array | undefined;
  readonly gauge: Uint8Array | undefined;
  readonly histogram: Uint8Array | undefined;
  readonly timestampMs: number;
}

function decodeFamily(bytes: Uint8Array): { name: string; metrics: RawMetric[] } {
  const reader = new BinaryReader(bytes);
  const metrics: RawMetric[] = [];
  let name = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      name = reader.string();
      if (name !== UPTIME && !name.endsWith(REQUESTS) && !name.endsWith(DURATIONS) && !isDryRunFamily(name)) {
        return { name, metrics };
      }
    } else if (field === 4) {
      metrics.push(decodeMetric(reader.bytes()));
    } else {
      reader.skip(wireType);
    }
  }
  return { name, metrics };
}

function decodeMetric(bytes: Uint8Array): RawMetric {
  const reader = new BinaryReader(bytes);
  let labelsEnd = 0;
  let counter: Uint8Array | undefined;
  let gauge: Uint8Array | undefined;
  let histogram: Uint8Array | undefined;
  let timestampMs = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      reader.skip(wireType);
      labelsEnd = reader.pos;
    } else if (field === 2) {
      gauge = reader.bytes();
    } else if (field === 3) {
      counter = reader.bytes();
    } else if (field === 6) {
      timestampMs = Number(reader.int64());
    } else if (field === 7) {
      histogram = reader.bytes();
    } else {
      reader.skip(wireType);
    }
  }
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, labelsEnd).toString('latin1');
  return { key, counter, gauge, histogram, timestampMs };
}

/** `Counter.value` and `Gauge.value` are field 1, a double. */
function decodeNumber(bytes: Uint8Array | undefined): number {
  const reader = new BinaryReader(bytes ?? new Uint8Array());
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

function decodeHistogram(bytes: Uint8Array | undefined): DurationBuckets {
  const reader = new BinaryReader(bytes ?? new Uint8Array());
  const buckets: { upperMs: number; cumulative: number }[] = [];
  let total = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      total = Number(reader.uint64());
    } else if (field === 3) {
      buckets.push(decodeBucket(reader.bytes()));
    } else {
      reader.skip(wireType);
    }
  }
  return { total, buckets };
}

function decodeBucket(bytes: Uint8Array): { upperMs: number; cumulative: number } {
  const reader = new BinaryReader(bytes);
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
