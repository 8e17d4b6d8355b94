import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { StreamMetricsMessageSchema } from '../../../generated/envoy/envoy/service/metrics/v3/metrics_service_pb.js';
import { decodeOrRefuse, RefusalError } from '../../../operator/ads/refusal.ts';
import { TrafficLedger } from '../../../operator/telemetry/ledger.ts';
import { REFUSED_METRIC } from '../../../proxy/names.ts';
import type { Target } from '../target.ts';
import { MESSAGE_BYTES, ofShortParts, repeated } from './repeated.ts';

const LABELS = [
  ['reporter', 'source'],
  ['response_code', '200'],
  ['upstream_cluster', 'outbound|80||web.shop.svc.cluster.local|7d4b9c6f5'],
  ['response_flags', '-'],
].map(([name = '', value = '']) => ({ name, value }));
const POLICY = [
  ['kind', 'RateLimitPolicy'],
  ['namespace', 'shop'],
  ['name', 'a'],
  ['among', '2'],
].map(([name = '', value = '']) => ({ name, value }));
const bucket = [5, 10, 3_600_000].map((upperBound) => ({ upperBound, cumulativeCount: 2n }));

/** Messages as a sidecar's Envoy sends them. */
export const MESSAGES: readonly Uint8Array[] = [
  {
    identifier: { node: { id: 'sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local' } },
    envoyMetrics: [
      { name: 'istio_requests_total', metric: [{ label: LABELS, counter: { value: 3 }, timestampMs: 5n }] },
      { name: 'server.uptime', metric: [{ gauge: { value: 7 }, timestampMs: 10_000n }] },
    ],
  },
  {
    envoyMetrics: [
      {
        name: 'istio_request_duration_milliseconds',
        metric: [{ label: LABELS, histogram: { sampleCount: 3n, bucket } }],
      },
      { name: 'http.inbound.rbac.dry_run/shop/a.shadow_denied', metric: [{ counter: { value: 1 } }] },
      { name: REFUSED_METRIC, metric: [{ label: POLICY, counter: { value: 2 } }] },
    ],
  },
].map((fields) => toBinary(StreamMetricsMessageSchema, create(StreamMetricsMessageSchema, fields)));

/** A family of many short metrics. @param hex one of them; without it there are none */
function family(name: string, hex?: string): Uint8Array {
  const metrics = hex === undefined ? Buffer.alloc(0) : repeated(Buffer.from(hex, 'hex'), MESSAGE_BYTES);
  const inner = new BinaryWriter().tag(1, WireType.LengthDelimited).string(name).raw(metrics).finish();
  return new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(inner).finish();
}

const newLedger = (): TrafficLedger =>
  new TrafficLedger({
    workload: () => ({ namespace: 'shop', revision: '7d4b9c6f5' }),
    stableRevision: () => undefined,
    isPolicyOf: (_uid, { name }) => name === 'a',
  });
let ledger = newLedger();
let messages = 0;

/** What proxies say they counted. */
export const target: Target = {
  name: 'metrics',
  about: 'metrics, of proxies, up to what is counted of them',
  form: 'protobuf',
  seeds: MESSAGES,
  *largest() {
    yield* ofShortParts(['0a00', '1200', '12021200', '12020a00', '7800', '7b']);
    for (const piece of ['ratelimit.', 'shadow_', 'dry_run/', '.ok', 'istio_requests_total']) {
      yield family(repeated(piece, MESSAGE_BYTES - 64).toString());
    }
    for (const name of ['istio_requests_total', 'server.uptime', 'a.shadow_denied', REFUSED_METRIC]) {
      for (const metric of ['2200', '22040a020a00', '22021a00', '22041200']) yield family(name, metric);
    }
    for (const metric of ['2200', '22023a00', '22043a021a00'])
      yield family('istio_request_duration_milliseconds', metric);
  },
  run(bytes) {
    // It keeps a quarter of an hour, which would take longer than this.
    if (++messages % 1000 === 0) ledger = newLedger();
    try {
      decodeOrRefuse(bytes, () => ledger.receive({ uid: `u${messages % 10}` }, bytes));
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
    }
  },
};
