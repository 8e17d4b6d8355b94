import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { Logger } from '../kube/logger.ts';
import { BodyBudget, drain, HttpError } from './body.ts';
import type { WebhookMetrics } from './metrics.ts';
import { type AdmissionAnswer, type AdmissionRequest, formatReview, ReviewError, readReview } from './review.ts';

export type AdmissionHandler = (request: AdmissionRequest) => AdmissionAnswer | Promise<AdmissionAnswer>;

export interface ServingCertificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface AdmissionServerOptions {
  /** By path: `/inject`, `/validate`. */
  readonly handlers: Readonly<Record<string, AdmissionHandler>>;
  readonly logger: Logger;
  readonly metrics: WebhookMetrics;
  /** In place of `SERVER_LIMITS`, for tests that cannot wait. */
  readonly limits?: Partial<typeof SERVER_LIMITS>;
}

/** Anybody in the cluster can reach this port, so nothing may wait or grow for long. Times in milliseconds. */
export const SERVER_LIMITS = {
  handshakeTimeout: 5000,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1000,
  // Longer than API servers keep an idle connection (90 s), so that the end never comes from here in the middle of a request.
  keepAliveTimeout: 120_000,
  maxHeaderSize: 16_384,
};
const MAX_CONNECTIONS = 1024;
const DRAIN_MS = 10_000;

/** Admission over HTTPS; the certificate can be exchanged at any time, and no connection notices. */
export class AdmissionServer {
  readonly #options: AdmissionServerOptions;
  readonly #budget = new BodyBudget();
  readonly #server: Server;
  #closing = false;

  constructor(options: AdmissionServerOptions) {
    this.#options = options;
    this.#server = createServer({ ...SERVER_LIMITS, ...options.limits, minVersion: 'TLSv1.2' }, this.#application());
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Serves with this certificate, as `readServingCertificate` has checked it, from the next handshake on. */
  setCertificate({ cert, key }: ServingCertificate): void {
    const context: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2' };
    this.#server.setSecureContext(context);
  }

  /** Begins to listen; gives the port (useful with port 0). */
  async start(port: number, host?: string): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends: no new connections, answers what is under way, then closes. */
  async stop(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const force = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MS);
    await closed;
    clearTimeout(force);
  }

  #application(): express.Express {
    const application = express();
    application.disable('x-powered-by');
    application.disable('etag');
    for (const [path, handler] of Object.entries(this.#options.handlers)) {
      application.post(path, (request, response) => this.#review(path, handler, request, response));
      application.all(path, () => {
        throw new HttpError(405, 'only POST is answered here');
      });
    }
    application.use(() => {
      throw new HttpError(
        404,
        `there is nothing here; admission is at ${Object.keys(this.#options.handlers).join(' and ')}`,
      );
    });
    application.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
      this.#fail(error, request, response).catch(() => response.destroy());
    });
    return application;
  }

  async #review(path: string, handler: AdmissionHandler, request: Request, response: Response): Promise<void> {
    const begun = performance.now();
    if (!request.is('application/json') || request.headers['content-encoding'] !== undefined) {
      throw new HttpError(415, 'only application/json without an encoding is read here');
    }
    const review = readReview(await this.#budget.read(request));
    const answer = formatReview(review.uid, await handler(review));
    response.setHeader('content-type', 'application/json');
    if (this.#closing) response.setHeader('connection', 'close');
    response.end(answer);
    this.#options.metrics.observe(path, performance.now() - begun);
  }

  async #fail(error: unknown, request: Request, response: Response): Promise<void> {
    const code = error instanceof HttpError ? error.code : error instanceof ReviewError ? 400 : 500;
    const message = code === 500 ? 'internal error; the log has more' : (error as Error).message;
    this.#options.metrics.rejected(code);
    if (code === 500) this.#options.logger.error('review failed', { path: request.path, error });
    else this.#options.logger.debug('request rejected', { path: request.path, code, reason: message });
    await drain(request);
    if (response.headersSent || response.destroyed) return;
    response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
    response.end(`${message}\n`);
  }
}
