import {
  MAX_ANSWER_BYTES,
  PrometheusError,
  readMatrix,
  readVector,
} from '../../../operator/dashboard/prometheus-answer.ts';
import { PrometheusCalls } from '../../../operator/dashboard/prometheus-calls.ts';
import { asBuffer } from '../engine/as-buffer.ts';
import type { Target } from '../target.ts';
import { repeated } from './repeated.ts';

const metric = {
  reporter: 'source',
  source_workload_namespace: 'shop',
  source_canonical_service: 'ui',
  destination_workload_namespace: 'shop',
  destination_canonical_service: 'ordering',
  destination_principal: 'spiffe://td/ns/shop/sa/ordering',
  destination_service: 'ordering.shop.svc.cluster.local',
  upstream_cluster: 'outbound|80||ordering.shop.svc.cluster.local|7d4b9c6f5',
  response_code: '200',
  response_flags: '-',
};
const strangers = { reporter: 'destination', source_principal: 'spiffe://td/ns/shop/sa/ui', response_flags: 'UF,URX' };
const answer = (resultType: string, result: readonly object[]): Buffer =>
  Buffer.from(JSON.stringify({ status: 'success', data: { resultType, result } }));
const names = { ofService: (host: string) => `host:${host}`, hasSidecars: (principal: string) => principal === '' };

/** The longest answer that has many of something. */
function filled(resultType: string, item: string): Buffer {
  const head = `{"data":{"resultType":"${resultType}","result":[`;
  return Buffer.from(`${head}${repeated(`${item},`, MAX_ANSWER_BYTES - head.length - item.length - 4)}${item}]}}`);
}

/** What a Prometheus answers that the mesh's settings name, up to what is made of its series. */
export const target: Target = {
  name: 'prometheus',
  about: 'answers of the Prometheus that is asked for the graph',
  form: 'json',
  seeds: [
    answer('vector', [
      { metric, value: [1_700_000_000, '4.2'] },
      { metric: strangers, value: [1_700_000_000.5, 'NaN'] },
    ]),
    answer('matrix', [{ metric, values: [1, 2, 3].map((at) => [at, '+Inf']) }]),
    Buffer.from(JSON.stringify({ status: 'error', errorType: 'bad_data', error: 'parse error' })),
  ],
  *largest() {
    for (const item of [{ metric, value: [1, '1'] }, { metric: {}, value: [1, '1'] }, {}, [], 0])
      yield filled('vector', JSON.stringify(item));
    yield filled('matrix', JSON.stringify({ metric, values: Array.from({ length: 60 }, (_, at) => [at, '1']) }));
    yield filled('matrix', '{"metric":{},"values":[]}');
    const points = repeated('[1700000000,"4.2"],', 7 << 20);
    yield Buffer.from(`{"data":{"resultType":"matrix","result":[{"metric":{},"values":[${points}[0,"1"]]}]}}`);
    for (const count of [199_000, 700_000]) {
      const labels = Array.from({ length: count }, (_, index) => `"${index.toString(36)}":""`).join();
      yield Buffer.from(`{"data":{"resultType":"vector","result":[{"value":[0,"1"],"metric":{${labels}}}]}}`);
    }
    yield repeated('[', MAX_ANSWER_BYTES);
  },
  run(bytes) {
    const text = asBuffer(bytes).toString();
    const calls = new PrometheusCalls(names);
    const series = text.includes('"matrix"') ? readOrRefuse(text, readMatrix) : readOrRefuse(text, readVector);
    for (const { metric: labels } of series) {
      for (const transport of ['http', 'tcp'] as const) calls.read(labels, transport);
      calls.own(labels);
    }
  },
};

function readOrRefuse<T>(text: string, read: (status: number, text: string) => readonly T[]): readonly T[] {
  try {
    return read(200, text);
  } catch (error) {
    if (error instanceof PrometheusError) return [];
    throw error;
  }
}
