import { TrafficHistory } from '../../operator/telemetry/history/traffic-history.ts';
import { encodeLabels } from '../../operator/telemetry/testing/encoded-labels.ts';
import { round } from './figures.ts';
import { heap } from './heap.ts';
import type { BenchResult } from './result.ts';

const START = 1_700_000_040_000;
const FLUSH_MS = 5000;
const HOUR_MS = 3_600_000;
const CALLERS_OF_EACH = 10;
const DURATIONS = {
  total: 10,
  sumMs: 82,
  buckets: [
    { upperMs: 5, cumulative: 3 },
    { upperMs: 10, cumulative: 7 },
    { upperMs: 25, cumulative: 10 },
  ],
};

/** What an hour of calls takes in memory, where each edge is used in every flush: with one kind of answer, three buckets of duration and bytes both ways. */
export async function run(): Promise<BenchResult[]> {
  return [1000, 3000].flatMap(measure);
}

function measure(edges: number): BenchResult[] {
  const before = heap();
  const history = new TrafficHistory({
    ofPod: (uid) => uid,
    ofService: (host) => host,
    isTcp: () => false,
    isTcpOfPod: () => false,
    hasSidecars: () => true,
  });
  const calls = Array.from({ length: edges }, (_, index) => ({
    pod: `shop/caller-${index % (edges / CALLERS_OF_EACH)}`,
    key: encodeLabels({
      reporter: 'source',
      response_code: '200',
      response_flags: '-',
      upstream_cluster: `outbound|80||service-${Math.floor(index / (edges / CALLERS_OF_EACH))}.shop.svc`,
    }),
  }));
  const flow = (direction: string, key: string): string => `flow ${direction} http ${key}`;
  for (let now = START; now < START + HOUR_MS; now += FLUSH_MS) {
    for (const { pod, key } of calls) {
      history.reported(pod, now);
      history.count(pod, key, 10, now);
      history.durations(pod, [{ key, value: DURATIONS }], now);
      for (const direction of ['sent', 'received']) history.count(pod, flow(direction, key), 5000, now);
    }
  }
  history.slices.advance(START + HOUR_MS);
  const taken = heap() - before;
  const bench = `the history of an hour, ${edges} edges`;
  const kept = START + HOUR_MS - Math.max(START, history.slices.keptSince);
  return [
    { bench, figure: 'heap and buffers', value: round(taken / 2 ** 20), unit: 'MiB' },
    { bench, figure: 'bytes an edge', value: round(taken / edges), unit: 'B' },
    { bench, figure: 'entries', value: history.slices.entries, unit: '' },
    { bench, figure: 'kept of it', value: round(kept / 60_000), unit: 'min' },
  ];
}
