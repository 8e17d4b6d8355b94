import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StreamMetricsMessageSchema } from '../../generated/envoy/envoy/service/metrics/v3/metrics_service_pb.js';
import { decodeLabels, decodeMetricsMessage } from './metrics-message.ts';
import { overflowLabels } from './open-series.ts';
import { refusalLabels } from './refusals.ts';

const LABELS = [
  { name: 'reporter', value: 'source' },
  { name: 'response_code', value: '200' },
];

function encode(metrics: Parameters<typeof create<typeof StreamMetricsMessageSchema>>[1]): Uint8Array {
  return toBinary(StreamMetricsMessageSchema, create(StreamMetricsMessageSchema, metrics));
}

describe('a metrics message', () => {
  test('gives the mesh’s families and the uptime, and nothing else', () => {
    const message = decodeMetricsMessage(
      encode({
        identifier: { node: { id: 'n' } },
        envoyMetrics: [
          { name: 'envoy_istio_requests_total', metric: [{ label: LABELS, counter: { value: 3 }, timestampMs: 5n }] },
          {
            name: 'istio_request_duration_milliseconds',
            metric: [
              {
                label: LABELS,
                histogram: { sampleCount: 3n, sampleSum: 12.5, bucket: [{ upperBound: 5, cumulativeCount: 2n }] },
              },
            ],
          },
          { name: 'server.uptime', metric: [{ gauge: { value: 7 }, timestampMs: 10_000n }] },
          { name: 'server.state', metric: [{ gauge: { value: 1 } }] },
        ],
      }),
    );
    expect(message.first).toBe(true);
    expect(message.uptime).toEqual({ seconds: 7, processStart: 3000 });
    expect(message.requests.map(({ value }) => value)).toEqual([3]);
    expect(message.durations.map(({ value }) => value)).toEqual([
      { total: 3, sumMs: 12.5, buckets: [{ upperMs: 5, cumulative: 2 }] },
    ]);
    const [key] = message.requests.map((sample) => sample.key);
    expect(message.durations[0]?.key).toBe(key);
    expect(Object.fromEntries(decodeLabels(key ?? ''))).toEqual({ reporter: 'source', response_code: '200' });
  });

  test('gives what policies refused, by a key of its own', () => {
    const metric = [{ label: LABELS, counter: { value: 3 } }];
    const { requests } = decodeMetricsMessage(
      encode({
        envoyMetrics: [
          { name: 'heddle_policy_refused_requests_total', metric },
          { name: 'istio_requests_total', metric },
        ],
      }),
    );
    const [refusals, all] = requests.map(({ key }) => key);
    expect(refusalLabels(refusals ?? '')).toBe(all);
  });

  test('tells what is open, and of what pools refuse the count', () => {
    const label = [{ name: 'cluster_name', value: 'outbound|80||ordering' }];
    const message = decodeMetricsMessage(
      encode({
        envoyMetrics: [
          { name: 'cluster.upstream_rq_active', metric: [{ label, gauge: { value: 3 }, timestampMs: 7000n }] },
          { name: 'cluster.upstream_rq_pending_overflow', metric: [{ label, counter: { value: 4 } }] },
          { name: 'cluster.upstream_cx_overflow', metric: [{ label, counter: { value: 5 } }] },
        ],
      }),
    );
    const [overflow] = message.requests;
    expect(message.open).toEqual([{ thing: 'active', key: overflowLabels(overflow?.key ?? ''), value: 3, at: 7000 }]);
    expect(message.requests.map(({ value }) => value)).toEqual([4]);
  });

  test('without a sender is not the first of its stream', () => {
    expect(decodeMetricsMessage(new Uint8Array())).toMatchObject({ first: false, uptime: undefined });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -5])('takes a counter of %p for none', (value) => {
    const metric = [{ label: LABELS, counter: { value } }];
    const message = decodeMetricsMessage(encode({ envoyMetrics: [{ name: 'istio_requests_total', metric }] }));
    expect(message.requests.map((sample) => sample.value)).toEqual([0]);
  });

  test('of any bytes is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeMetricsMessage(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
