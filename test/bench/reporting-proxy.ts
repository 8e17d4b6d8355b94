import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { BenchProxy } from './bench-proxy.ts';
import type { MetricsReport } from './metrics-report.ts';

const METRICS_PATH = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';
/** Envoy's, as in our bootstrap. */
const FLUSH_MS = 5000;

/** Has a played proxy report requests as Envoy does, until the process ends: on a stream beside its configuration's. */
export class ReportingProxy {
  readonly #proxy: BenchProxy;
  readonly #report: MetricsReport;
  readonly #startedAt = Date.now();
  #stream: ClientHttp2Stream | undefined;
  #flushes = 0;

  /** @param phase at which part of the time between two flushes it begins, from 0 to 1 */
  constructor(proxy: BenchProxy, report: MetricsReport, phase: number) {
    this.#proxy = proxy;
    this.#report = report;
    setTimeout(() => {
      this.#flush();
      setInterval(() => this.#flush(), FLUSH_MS);
    }, phase * FLUSH_MS);
  }

  #flush(): void {
    this.#flushes += 1;
    const isNew = this.#stream === undefined || this.#stream.destroyed;
    if (isNew) this.#open();
    const seconds = Math.floor((Date.now() - this.#startedAt) / 1000);
    this.#stream?.write(this.#report.frame(this.#flushes, seconds, isNew ? this.#proxy.node() : undefined));
  }

  #open(): void {
    this.#stream = this.#proxy.beside(METRICS_PATH);
    // It goes with its connection, and comes with the next.
    this.#stream?.on('error', () => undefined);
    const tell = (headers: IncomingHttpHeaders): void => {
      if (headers['grpc-message'] !== undefined) console.error(`metrics refused: ${headers['grpc-message']}`);
    };
    this.#stream?.on('response', tell);
    this.#stream?.on('trailers', tell);
  }
}
