import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

const MAX_BODY_BYTES = 1024 * 1024;

export interface Reply {
  readonly status: number;
  /** Sent as JSON. */
  readonly body: unknown;
}

export type Handler = (request: IncomingMessage, body: string) => Promise<Reply>;

/**
 * Serves `handler` plus `/healthz` and `/readyz`. On SIGTERM it stays up for `drainMs`, not ready any more and closing each
 * connection after its answer, so that nobody who has not heard of its end is refused; then it ends.
 */
export function serve(port: number, drainMs: number, handler: Handler): Server {
  let draining = false;
  const server = createServer((request, response) => {
    if (draining) response.setHeader('connection', 'close');
    answer(request, handler, () => draining).then(
      (reply) => send(response, reply),
      (error: unknown) => send(response, { status: 400, body: { error: String(error) } }),
    );
  });
  // Longer than any caller keeps an idle connection, so that it is never closed under a request on its way.
  server.keepAliveTimeout = 75_000;
  server.listen(port);
  process.once('SIGTERM', () => {
    draining = true;
    setTimeout(() => {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
    }, drainMs);
  });
  return server;
}

async function answer(request: IncomingMessage, handler: Handler, draining: () => boolean): Promise<Reply> {
  if (request.url === '/healthz') return { status: 200, body: { status: 'ok' } };
  if (request.url === '/readyz')
    return draining() ? { status: 503, body: { status: 'ending' } } : { status: 200, body: { status: 'ok' } };
  return handler(request, await readBody(request));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`a body may have ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, { status, body }: Reply): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
