import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface HealthOptions {
  readonly port: number;
  /** Default: all addresses. */
  readonly host?: string;
  /** What is not ready yet, one sentence each; ready when empty. */
  readonly notReady?: () => readonly string[];
  /** What is broken beyond repair by waiting, one sentence each; kubelet restarts the container. */
  readonly notHealthy?: () => readonly string[];
  readonly registry?: Registry;
}

/** Serves `/healthz`, `/readyz` and `/metrics`; every connection is bounded in number, size and time. */
export class HealthServer {
  readonly #options: HealthOptions;
  readonly #server: Server;

  constructor(options: HealthOptions) {
    this.#options = options;
    const limits = { headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 5000, maxHeaderSize: 8192 };
    this.#server = createServer(limits, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.maxConnections = 256;
  }

  /** Begins to listen; gives the port (useful with port 0). */
  start(): Promise<number> {
    const { port, host } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0];
    const { notReady, notHealthy, registry } = this.#options;
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'only GET\n');
    if (path === '/healthz') return sendProblems(response, notHealthy?.() ?? []);
    if (path === '/readyz') return sendProblems(response, notReady?.() ?? []);
    if (path === '/metrics' && registry) {
      return send(response, 200, await registry.metrics(), registry.contentType);
    }
    return send(response, 404, 'not found; try /healthz, /readyz or /metrics\n');
  }
}

function sendProblems(response: ServerResponse, problems: readonly string[]): void {
  if (problems.length === 0) send(response, 200, 'ok\n');
  else send(response, 503, `${problems.join('\n')}\n`);
}

function send(response: ServerResponse, code: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
