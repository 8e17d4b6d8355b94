import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { control } from './control.ts';
import { answerGrpc } from './grpc-server.ts';
import { ServerState } from './server-state.ts';
import { describeStream } from './stream-echo.ts';
import { readWishes } from './wishes.ts';

/** A server of HTTP/2, and what closes it and lets its streams end. */
export interface Http2Service {
  readonly server: Http2Server;
  close(): void;
}

/** Makes a server of HTTP/2 that echoes plain requests as wished (see `readWishes`), answers `/admin` and `/seen`, and speaks gRPC. */
export function http2Server(state: ServerState): Http2Service {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => stream.destroy());
    const grpc = String(headers['content-type'] ?? '').startsWith('application/grpc');
    if (grpc) answerGrpc(stream, headers, state);
    else answerHttp(stream, headers, state).catch(() => stream.destroy());
  });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  const close = (): void => {
    // GOAWAY lets a client finish its streams and go elsewhere with the next.
    for (const session of sessions) session.close();
    server.close();
  };
  return { server, close };
}

/** Serves `http2Server` without TLS on a port. @returns closes it, letting streams end */
export function serveHttp2(port: number, state: ServerState = new ServerState()): () => void {
  const { server, close } = http2Server(state);
  server.listen(port);
  return close;
}

async function answerHttp(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, state: ServerState): Promise<void> {
  const path = headers[':path'] ?? '/';
  let bodyBytes = 0;
  for await (const chunk of stream) bodyBytes += chunk.length;
  const told = control(headers[':method'] ?? '', path, state);
  if (told !== undefined) {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(JSON.stringify(told));
    return;
  }
  const leave = await state.pool.enter();
  try {
    const wishes = readWishes(path, headers);
    const verdict = state.judge(wishes, headers[':authority'] ?? headers.host ?? '');
    if (verdict.delayMs > 0) await sleep(verdict.delayMs);
    if (verdict.reset) {
      stream.close(2);
      return;
    }
    const status = (verdict.status ?? (verdict.fails ? 503 : 200)) || 200;
    stream.respond({ ':status': status, 'content-type': 'application/json' });
    const seen = { ...describeStream(stream, headers, '2', bodyBytes), attempt: verdict.attempt };
    stream.end(JSON.stringify({ ...seen, ...(wishes.bytes > 0 ? { padding: 'x'.repeat(wishes.bytes) } : {}) }));
  } finally {
    leave();
  }
}
