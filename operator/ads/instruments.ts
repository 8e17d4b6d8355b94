import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The metrics of the ADS server. */
export interface Instruments {
  readonly pushes: Counter<'type'>;
  readonly pushedBytes: Counter<'type'>;
  readonly resources: Counter<'type'>;
  readonly rejections: Counter<'type'>;
  readonly refused: Counter<'code'>;
  readonly acknowledgement: Histogram<'type'>;
}

/** What is asked of the server at each scrape. */
export interface ServerCounts {
  /** Proxies with a stream. */
  readonly connected: number;
  /** Connections that wait for their turn to begin. */
  readonly waiting: number;
}

/** Registers the server's metrics. */
export function createInstruments(registry: Registry, counts: ServerCounts): Instruments {
  const registers = [registry];
  new Gauge({
    name: 'heddle_ads_connected_proxies',
    help: 'Proxies with an open ADS stream.',
    registers,
    collect() {
      this.set(counts.connected);
    },
  });
  new Gauge({
    name: 'heddle_ads_waiting_connections',
    help: 'Connections whose TLS handshake has not begun.',
    registers,
    collect() {
      this.set(counts.waiting);
    },
  });
  const labelNames = ['type'] as const;
  return {
    pushes: new Counter({ name: 'heddle_ads_pushes_total', help: 'Responses sent.', labelNames, registers }),
    pushedBytes: new Counter({ name: 'heddle_ads_pushed_bytes_total', help: 'Bytes sent.', labelNames, registers }),
    resources: new Counter({
      name: 'heddle_ads_pushed_resources_total',
      help: 'Resources sent.',
      labelNames,
      registers,
    }),
    rejections: new Counter({
      name: 'heddle_ads_rejections_total',
      help: 'Responses that a proxy rejected.',
      labelNames,
      registers,
    }),
    refused: new Counter({
      name: 'heddle_ads_refused_streams_total',
      help: 'Streams and questions refused, or ended because of their sender, by gRPC status code.',
      labelNames: ['code'],
      registers,
    }),
    acknowledgement: new Histogram({
      name: 'heddle_ads_acknowledgement_seconds',
      help: 'Time from a response to its ACK or NACK.',
      labelNames,
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
      registers,
    }),
  };
}

/** The last part of a type URL: `Cluster`. */
export function shortType(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}
