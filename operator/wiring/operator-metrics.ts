import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { encoded } from '../xds/encoding.ts';
import type { TrafficRecords } from './traffic-records.ts';

/** What is asked at each scrape. */
export interface OperatorCounts {
  /** Those that have something wait to be worked on, by what it is; undefined while there is none. */
  queues(): Readonly<Record<string, { readonly waiting: number } | undefined>>;
  readonly records: Pick<TrafficRecords, 'history'>;
  /** Who follows the dashboard's events. */
  streams(): number;
}

/**
 * Registers what tells whether the operator itself is well, beside the metrics of its rooms: the process (event loop, CPU, memory), what waits, what was
 * encoded, and what is remembered.
 */
export function registerOperatorMetrics(registry: Registry, { queues, records, streams }: OperatorCounts): void {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'heddle_queue_depth',
    help: 'What waits to be worked on: changes of the mesh, certificates, Canaries, reports to other replicas.',
    labelNames: ['queue'],
    registers,
    collect() {
      for (const [queue, of] of Object.entries(queues())) this.set({ queue }, of?.waiting ?? 0);
    },
  });
  const total = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  total('heddle_xds_encoded_resources_total', 'Resources encoded, each once for all proxies.', () => encoded.resources);
  total('heddle_xds_encoded_bytes_total', 'Bytes of resources encoded.', () => encoded.bytes);
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  const { slices, table } = records.history;
  gauge('heddle_history_edges', 'Edges of the graph that are remembered.', () => table.size);
  gauge('heddle_history_entries', 'Entries of the history, of 12 bytes each.', () => slices.entries);
  gauge(
    'heddle_history_left_out_edges',
    'Edges that are not remembered since they are too many.',
    () => table.leftOut.size,
  );
  gauge('heddle_dashboard_streams', 'Event streams of pages that are open.', streams);
}
