import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerCheck, CHECK_PREFIX } from './authorizer.ts';
import { callOn } from './chain.ts';
import { control } from './control.ts';
import { isDraining } from './drain.ts';
import { type Echo, echo, flatHeaders } from './echo.ts';
import { ServerState } from './server-state.ts';
import { tlsSeen } from './tls-seen.ts';
import { acceptWebSocket } from './websocket.ts';
import { readWishes } from './wishes.ts';

/**
 * Makes a server of HTTP/1.1 that echoes requests as wished (see `readWishes`), upgrades to WebSocket, calls on (`/call`), answers
 * questions of ext_authz (`/authorize/`), `/readyz` and `/healthz`, `/hook`, which tells how often it was asked (for lifecycle hooks), and `/admin` and `/seen` (see `control`).
 */
export function httpServer(state: ServerState): Server {
  const hooks = { count: 0 };
  const server = createServer((request, response) => {
    answer(request, response, hooks, state).catch(() => response.destroy());
  });
  server.on('upgrade', acceptWebSocket);
  server.keepAliveTimeout = 75_000;
  return server;
}

/** Serves `httpServer` on a port. */
export function serveHttp(port: number, state: ServerState = new ServerState()): Server {
  return httpServer(state).listen(port);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  hooks: { count: number },
  state: ServerState,
): Promise<void> {
  const { url: path = '/', method = '' } = request;
  if (isDraining()) response.setHeader('connection', 'close');
  if (path === '/healthz' || path === '/readyz') {
    const ready = !isDraining() && state.behaviour.ready;
    response.writeHead(path === '/readyz' && !ready ? 503 : 200).end();
    return;
  }
  const told = control(method, path, state);
  if (told !== undefined) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(told));
    return;
  }
  if (path.startsWith(CHECK_PREFIX) && !state.behaviour.errors) {
    answerCheck(request.resume(), response);
    return;
  }
  if (path === '/hook') hooks.count++;
  const leave = await state.pool.enter();
  try {
    await work(request, response, hooks, state);
  } finally {
    leave();
  }
}

async function work(
  request: IncomingMessage,
  response: ServerResponse,
  hooks: { count: number },
  state: ServerState,
): Promise<void> {
  const path = request.url ?? '/';
  const wishes = readWishes(path, request.headers);
  const verdict = state.judge(wishes, request.headers.host ?? '');
  let bodyBytes = 0;
  for await (const chunk of request) bodyBytes += chunk.length;
  if (verdict.delayMs > 0) await sleep(verdict.delayMs);
  if (verdict.reset) {
    request.socket.destroy();
    return;
  }
  const called = verdict.fails ? undefined : await callOn(path, request.headers);
  const status = (verdict.fails ? (verdict.status ?? 503) : (called?.status ?? verdict.status)) || 200;
  const seen = {
    ...describe(request, bodyBytes),
    attempt: verdict.attempt,
    ...(called && { upstream: called.upstream }),
  };
  response.writeHead(status, { 'content-type': 'application/json', 'x-hooks': String(hooks.count) });
  response.end(JSON.stringify({ ...seen, ...(wishes.bytes > 0 ? { padding: 'x'.repeat(wishes.bytes) } : {}) }));
}

function describe(request: IncomingMessage, bodyBytes: number): Echo {
  const { method = '', url: path = '/', httpVersion, socket } = request;
  const tls = tlsSeen(socket);
  return echo({
    protocol: httpVersion,
    method,
    path,
    headers: flatHeaders(request.headers),
    bodyBytes,
    remoteAddress: socket.remoteAddress ?? '',
    ...(tls && { tls }),
  });
}
