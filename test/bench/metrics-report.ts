import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { DURATION_BUCKETS } from '../../proxy/duration-buckets.ts';

/** Requests that a proxy counts as one of the two sides of the call. */
export interface CountedSeries {
  readonly reporter: 'source' | 'destination';
  /** Hostname of the Service that is called. */
  readonly service: string;
  /** Of the pod that is called. */
  readonly revision: string;
}

/** Of each pool that is used, as `proxy/stats.ts` has them; Envoy makes a family of each. */
const POOL_GAUGES = ['upstream_cx_active', 'upstream_rq_active', 'upstream_rq_pending_active'];
const FRAME_HEAD = 5;
const DOUBLE_BYTES = 8;
/** All requests take less than this, in ms. */
const TAKES_MS = 10;

/** What an Envoy sends every flush of the metrics service: the same requests each time, all of them answered 200 within 10 ms. */
export class MetricsReport {
  readonly #families: Buffer;
  /** Where counters stand in it. */
  readonly #counters: readonly number[];
  readonly #requests: number;

  /** @param requests of each series in one flush @param pools clusters of which it tells what is open; absent: none */
  constructor(series: readonly CountedSeries[], requests: number, pools: readonly string[] = []) {
    this.#requests = requests;
    const labels = series.map(labelsOf);
    const requestFamily = labels.map((label) => {
      const counter = new BinaryWriter().tag(1, WireType.Bit64).double(0).finish();
      // The counter comes last, so that its place is known.
      return new BinaryWriter().raw(label).tag(3, WireType.LengthDelimited).bytes(counter).finish();
    });
    const { bytes, ends } = encodeFamily('istio_requests_total', requestFamily);
    const histogram = encodeHistogram(requests);
    const durations = labels.map((label) =>
      new BinaryWriter().raw(label).tag(7, WireType.LengthDelimited).bytes(histogram).finish(),
    );
    const open = pools.flatMap((cluster) =>
      POOL_GAUGES.map((gauge) => encodeFamily(`cluster.${gauge}`, [encodePoolGauge(cluster)]).bytes),
    );
    this.#families = Buffer.concat([
      bytes,
      encodeFamily('istio_request_duration_milliseconds', durations).bytes,
      ...open,
    ]);
    this.#counters = ends.map((end) => end - DOUBLE_BYTES);
  }

  /**
   * The frame of a flush.
   * @param flush how many there were of the proxy, with this one
   * @param seconds for which the proxy has been up
   * @param node encoded, in the first message of a stream
   */
  frame(flush: number, seconds: number, node: Uint8Array | undefined): Buffer {
    const head = new BinaryWriter();
    if (node !== undefined) {
      head.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).bytes(node).join();
    }
    const gauge = new BinaryWriter().tag(1, WireType.Bit64).double(seconds).finish();
    const uptime = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(gauge);
    uptime.tag(6, WireType.Varint).int64(Date.now());
    head.raw(encodeFamily('server.uptime', [uptime.finish()]).bytes);
    for (const at of this.#counters) this.#families.writeDoubleLE(flush * this.#requests, at);
    const frame = Buffer.concat([new Uint8Array(FRAME_HEAD), head.finish(), this.#families]);
    frame.writeUInt32BE(frame.length - FRAME_HEAD, 1);
    return frame;
  }
}

/** One of a pool that has three open. */
function encodePoolGauge(cluster: string): Uint8Array {
  // Envoy's own label of the name ends at the first dot.
  const labels = encodeLabels({ 'envoy.cluster_name': cluster.split('.')[0] ?? '', cluster_name: cluster });
  const gauge = new BinaryWriter().tag(1, WireType.Bit64).double(3).finish();
  return new BinaryWriter().raw(labels).tag(2, WireType.LengthDelimited).bytes(gauge).finish();
}

function labelsOf({ reporter, service, revision }: CountedSeries): Uint8Array {
  const labels = {
    reporter,
    response_code: '200',
    response_flags: '-',
    ...(reporter === 'source'
      ? { upstream_cluster: `outbound|80||${service}|${revision}` }
      : { destination_service: service }),
  };
  return encodeLabels(labels);
}

function encodeLabels(labels: Readonly<Record<string, string>>): Uint8Array {
  const writer = new BinaryWriter();
  for (const [name, value] of Object.entries(labels)) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(name).tag(2, WireType.LengthDelimited).string(value).join();
  }
  return writer.finish();
}

/** A field `envoy_metrics` of the message; with the places in it at which metrics end. */
function encodeFamily(name: string, metrics: readonly Uint8Array[]): { bytes: Buffer; ends: readonly number[] } {
  const named = new BinaryWriter().tag(1, WireType.LengthDelimited).string(name).finish();
  const parts = metrics.map((metric) => new BinaryWriter().tag(4, WireType.LengthDelimited).bytes(metric).finish());
  const length = parts.reduce((sum, part) => sum + part.length, named.length);
  const head = new BinaryWriter().tag(2, WireType.LengthDelimited).uint32(length).raw(named).finish();
  let end = head.length;
  const ends = parts.map((part) => {
    end += part.length;
    return end;
  });
  return { bytes: Buffer.concat([head, ...parts]), ends };
}

function encodeHistogram(requests: number): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).uint64(requests);
  for (const upper of DURATION_BUCKETS) {
    writer.tag(3, WireType.LengthDelimited).fork();
    if (upper >= TAKES_MS) writer.tag(1, WireType.Varint).uint64(requests);
    writer.tag(2, WireType.Bit64).double(upper).join();
  }
  return writer.finish();
}
