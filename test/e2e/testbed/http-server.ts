import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDraining } from './drain.ts';
import { echo, flatHeaders, wishes } from './echo.ts';
import { acceptWebSocket } from './websocket.ts';

/**
 * Serves HTTP/1.1: echoes requests, upgrades to WebSocket, answers `/readyz` and `/healthz`, and `/hook`, which tells how
 * often it was asked (for lifecycle hooks).
 */
export function serveHttp(port: number): Server {
  const hooks = { count: 0 };
  const server = createServer((request, response) => {
    answer(request, response, hooks).catch(() => response.destroy());
  });
  server.on('upgrade', acceptWebSocket);
  server.keepAliveTimeout = 75_000;
  return server.listen(port);
}

async function answer(request: IncomingMessage, response: ServerResponse, hooks: { count: number }): Promise<void> {
  const path = request.url ?? '/';
  if (isDraining()) response.setHeader('connection', 'close');
  if (path === '/healthz' || path === '/readyz') {
    response.writeHead(path === '/readyz' && isDraining() ? 503 : 200).end();
    return;
  }
  if (path === '/hook') hooks.count++;
  let bodyBytes = 0;
  for await (const chunk of request) bodyBytes += chunk.length;
  const { status, delayMs, bytes } = wishes(path);
  if (delayMs > 0) await sleep(delayMs);
  const { method = '', httpVersion, socket } = request;
  const headers = flatHeaders(request.headers);
  const seen = echo({
    protocol: httpVersion,
    method,
    path,
    headers,
    bodyBytes,
    remoteAddress: socket.remoteAddress ?? '',
  });
  response.writeHead(status, { 'content-type': 'application/json', 'x-hooks': String(hooks.count) });
  response.end(JSON.stringify({ ...seen, ...(bytes > 0 ? { padding: 'x'.repeat(bytes) } : {}) }));
}
