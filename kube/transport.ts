import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Credentials, PreparedConnection } from './credentials.ts';
import { KubeConnectionError, KubeError, kubeErrorFrom } from './kube-error.ts';

const MAX_BODY_BYTES = 256 * 1024 * 1024;

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Limit for the whole answer, or for its headers when it is streamed; milliseconds, default 30,000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests to one API server over kept-alive connections. */
export class Transport {
  readonly #credentials: Credentials;
  readonly #userAgent: string;
  #clockOffsetMs: number | undefined;

  constructor(credentials: Credentials, userAgent = 'heddle') {
    this.#credentials = credentials;
    this.#userAgent = userAgent;
  }

  /** By how much the server's clock is ahead of ours (to the second, from its last answer); undefined before the first. */
  get clockOffsetMs(): number | undefined {
    return this.#clockOffsetMs;
  }

  /**
   * Sends a request and reads the JSON answer (text where it is none).
   * @throws {KubeError} for an answer of 400 or more
   * @throws {KubeConnectionError} when there was no whole answer in time
   */
  async json<T>(request: TransportRequest): Promise<T> {
    const deadline = AbortSignal.timeout(request.timeoutMs ?? 30_000);
    const response = await this.#open(request, deadline);
    return parseBody<T>(await readBody(response, request, deadline));
  }

  /** Sends a request and gives the body as a stream once the headers are there; errors as with `json`. */
  async stream(request: TransportRequest): Promise<IncomingMessage> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), request.timeoutMs ?? 30_000);
    try {
      return await this.#open(request, abort.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#credentials.close();
  }

  async #open(request: TransportRequest, deadline: AbortSignal, retried = false): Promise<IncomingMessage> {
    const connection = await this.#credentials.prepare();
    const response = await send(connection, request, this.#userAgent, deadline);
    const serverTime = Date.parse(response.headers.date ?? '');
    if (!Number.isNaN(serverTime)) this.#clockOffsetMs = serverTime - Date.now();
    const code = response.statusCode ?? 0;
    if (code < 400) return response;
    const body = parseBody(await readBody(response, request, deadline));
    if (code === 401) {
      // The token may just have been rotated.
      this.#credentials.invalidate();
      if (!retried) return this.#open(request, deadline, true);
    }
    throw kubeErrorFrom(code, body, `${request.method} ${request.path}`);
  }
}

function urlOf(server: URL, request: TransportRequest): URL {
  const url = new URL(server);
  url.pathname = `${server.pathname.replace(/\/$/, '')}${request.path}`;
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function connectionError(request: TransportRequest, cause: unknown, deadline: AbortSignal): KubeConnectionError {
  const context = `${request.method} ${request.path}`;
  if (request.signal?.aborted) return new KubeConnectionError('ABORTED', `${context}: aborted`, cause);
  if (deadline.aborted) return new KubeConnectionError('ETIMEDOUT', `${context}: no answer in time`, cause);
  const { code = 'EUNKNOWN', message = String(cause) } = cause as { code?: string; message?: string };
  return new KubeConnectionError(code, `${context}: ${message || code}`, cause);
}

function send(
  connection: PreparedConnection,
  request: TransportRequest,
  userAgent: string,
  deadline: AbortSignal,
): Promise<IncomingMessage> {
  const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
  const headers: Record<string, string> = {
    ...connection.headers,
    accept: 'application/json',
    'user-agent': userAgent,
  };
  if (body) {
    headers['content-type'] = request.contentType ?? 'application/json';
    headers['content-length'] = String(body.length);
  }
  const signal = request.signal ? AbortSignal.any([request.signal, deadline]) : deadline;
  const open = connection.server.protocol === 'http:' ? httpRequest : httpsRequest;
  return new Promise((resolve, reject) => {
    const options = { method: request.method, agent: connection.agent, headers, signal };
    let answered = false;
    const attempt = (isRetry: boolean) => {
      const outgoing = open(urlOf(connection.server, request), options, (response) => {
        answered = true;
        resolve(response);
      });
      outgoing.on('error', (cause: NodeJS.ErrnoException) => {
        if (answered) return; // The reader of the response gets the error.
        // The server closed an idle connection just as we took it from the pool: it saw nothing of the request.
        const isStale = outgoing.reusedSocket && cause.code === 'ECONNRESET' && !signal.aborted;
        if (isStale && !isRetry) attempt(true);
        else reject(connectionError(request, cause, deadline));
      });
      outgoing.end(body);
    };
    attempt(false);
  });
}

async function readBody(response: IncomingMessage, request: TransportRequest, deadline: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) {
        response.destroy();
        throw new KubeError(0, 'TooLarge', `${request.method} ${request.path}: answer over ${MAX_BODY_BYTES} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof KubeError ? error : connectionError(request, error, deadline);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    return text as T;
  }
}
