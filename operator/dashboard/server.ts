import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { Logger } from '../../kube/logger.ts';
import { EventStream, type EventStreamSettings } from './event-stream.ts';
import { checkRequest, SAFE_HEADERS } from './guards.ts';
import type { PageFile } from './page-files.ts';
import { RequestError, readSelection, readSeries, readWindow } from './query.ts';
import { encodeInTurns } from './turns.ts';
import type { ViewSource } from './view-source.ts';

/** Whoever may forward a port to the pod is trusted to look, not to keep it busy. Times in ms. */
export const SERVER_LIMITS = {
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 30_000,
  maxHeaderSize: 16_384,
};

export interface DashboardOptions {
  readonly source: ViewSource;
  readonly page: ReadonlyMap<string, PageFile>;
  readonly logger: Logger;
  readonly events?: Partial<EventStreamSettings>;
  /** Questions that are being answered at the same time; 16 unless told. */
  readonly concurrency?: number;
  /** A connection that neither takes nor sends anything for so long is closed, in ms; 60,000 unless told. */
  readonly idleMs?: number;
}

const MAX_CONNECTIONS = 128;
const GRAPH_SECONDS = 60;
const REFUSAL_SECONDS = 600;
/** Shorter answers are not worth compressing. */
const COMPRESS_BYTES = 4096;
const compress = promisify(gzip);

/** The page, and what it and the command line ask, over HTTP on loopback. Nothing can be changed here. */
export class DashboardServer {
  readonly #options: DashboardOptions;
  readonly #events: EventStream;
  readonly #server: Server;
  #answering = 0;

  constructor(options: DashboardOptions) {
    const { source, logger, events, idleMs = 60_000 } = options;
    this.#options = options;
    this.#events = new EventStream(source, logger, events);
    this.#server = createServer(SERVER_LIMITS, this.#application());
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.timeout = idleMs;
  }

  /** Event streams that are open. */
  get streams(): number {
    return this.#events.size;
  }

  /** Begins to listen; gives the port (useful with port 0). */
  async start(port: number, host = '127.0.0.1'): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#events.stop();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #application(): express.Express {
    const { source } = this.#options;
    const application = express();
    application.disable('x-powered-by');
    application.disable('etag');
    application.set('query parser', 'simple');
    application.use((request: Request, response: Response, next: NextFunction) => {
      response.set(SAFE_HEADERS);
      checkRequest(request);
      next();
    });
    const answer = (path: string, ask: (query: Request['query']) => Promise<object>): void => {
      application.get(path, (request, response) => this.#answer(request, response, ask));
    };
    answer('/api/graph', (query) => source.graph(readWindow(query, GRAPH_SECONDS)));
    answer('/api/series', (query) => source.series(readSeries(query)));
    answer('/api/control-plane', () => source.controlPlane());
    answer('/api/proxies', (query) => source.proxies(readSelection(query)));
    answer('/api/policies', (query) => source.policies(readSelection(query)));
    answer('/api/refusals', (query) => source.refusals(readWindow(query, REFUSAL_SECONDS)));
    answer('/api/canaries', (query) => source.canaries(readSelection(query)));
    application.get('/api/events', (_request, response) => {
      if (!this.#events.hasRoom) throw new RequestError(503, 'too many watch already; try again in a moment');
      this.#events.open(response);
    });
    application.use((request: Request, response: Response) => this.#file(request, response));
    application.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
      this.#fail(error, response);
    });
    return application;
  }

  async #answer(
    request: Request,
    response: Response,
    ask: (query: Request['query']) => Promise<object>,
  ): Promise<void> {
    if (this.#answering >= (this.#options.concurrency ?? 16)) {
      throw new RequestError(503, 'too many questions at once; try again in a moment');
    }
    this.#answering++;
    try {
      const body = Buffer.from(await encodeInTurns(await ask(request.query)));
      await send(request, response, 200, body);
    } finally {
      this.#answering--;
    }
  }

  #file(request: Request, response: Response): void {
    const file = this.#options.page.get(request.path);
    if (file === undefined)
      throw new RequestError(404, 'there is nothing here; the page is at /, what it asks at /api/graph and so on');
    response.set({ etag: file.etag, 'cache-control': 'no-cache', vary: 'accept-encoding' });
    if (request.headers['if-none-match'] === file.etag) {
      response.status(304).end();
      return;
    }
    const isSmaller = takesGzip(request) && file.gzipped.length < file.body.length;
    const body = isSmaller ? file.gzipped : file.body;
    response.writeHead(200, {
      'content-type': file.type,
      'content-length': body.length,
      ...(isSmaller ? { 'content-encoding': 'gzip' } : {}),
    });
    response.end(body);
  }

  #fail(error: unknown, response: Response): void {
    const code = error instanceof RequestError ? error.code : 500;
    const message = error instanceof RequestError ? error.message : 'the operator could not answer; its log has more';
    if (code === 500) this.#options.logger.error('question of the dashboard failed', { error });
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const body = Buffer.from(JSON.stringify({ error: message }));
    const allow = code === 405 ? { allow: 'GET' } : {};
    response.writeHead(code, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': body.length,
      connection: 'close',
      ...allow,
    });
    response.end(body);
  }
}

async function send(request: IncomingMessage, response: ServerResponse, code: number, json: Buffer): Promise<void> {
  const isCompressed = json.length >= COMPRESS_BYTES && takesGzip(request);
  const body = isCompressed ? await compress(json, { level: 1 }) : json;
  response.writeHead(code, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    vary: 'accept-encoding',
    ...(isCompressed ? { 'content-encoding': 'gzip' } : {}),
  });
  response.end(body);
}

function takesGzip({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
}
