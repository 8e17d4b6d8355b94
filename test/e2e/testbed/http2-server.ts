import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDraining } from './drain.ts';
import { echo, flatHeaders, wishes } from './echo.ts';
import { MessageReader, writeMessage } from './grpc-frame.ts';

/** grpc.health.v1.HealthCheckResponse with status SERVING (1) and NOT_SERVING (2). */
const SERVING = Buffer.from([0x08, 1]);
const NOT_SERVING = Buffer.from([0x08, 2]);

/**
 * Serves HTTP/2 without TLS: echoes plain requests; as gRPC `/testbed.Echo/Unary` (the echo as JSON), `/testbed.Echo/Stream`
 * (every message back, one by one) and `/grpc.health.v1.Health/Check`.
 * @returns closes it, letting streams end
 */
export function serveHttp2(port: number): () => void {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => stream.destroy());
    const grpc = String(headers['content-type'] ?? '').startsWith('application/grpc');
    if (grpc) answerGrpc(stream, headers);
    else answerHttp(stream, headers).catch(() => stream.destroy());
  });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.listen(port);
  return () => {
    // GOAWAY lets a client finish its streams and go elsewhere with the next.
    for (const session of sessions) session.close();
    server.close();
  };
}

const describe = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, protocol: string, bodyBytes: number) =>
  echo({
    protocol,
    method: headers[':method'] ?? '',
    path: headers[':path'] ?? '/',
    headers: flatHeaders(headers),
    bodyBytes,
    remoteAddress: stream.session?.socket.remoteAddress ?? '',
  });

async function answerHttp(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
  let bodyBytes = 0;
  for await (const chunk of stream) bodyBytes += chunk.length;
  const { status, delayMs } = wishes(headers[':path'] ?? '/');
  if (delayMs > 0) await sleep(delayMs);
  stream.respond({ ':status': status, 'content-type': 'application/json' });
  stream.end(JSON.stringify(describe(stream, headers, '2', bodyBytes)));
}

function answerGrpc(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const reader = new MessageReader();
  const path = headers[':path'] ?? '';
  const known = ['/testbed.Echo/Unary', '/testbed.Echo/Stream', '/grpc.health.v1.Health/Check'].includes(path);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': known ? '0' : '12' }));
  stream.on('data', (chunk: Buffer) => {
    for (const message of reader.push(chunk)) {
      if (path === '/testbed.Echo/Stream') stream.write(writeMessage(message));
      if (path === '/testbed.Echo/Unary') {
        stream.write(writeMessage(Buffer.from(JSON.stringify(describe(stream, headers, 'grpc', message.length)))));
      }
      if (path === '/grpc.health.v1.Health/Check') stream.write(writeMessage(isDraining() ? NOT_SERVING : SERVING));
    }
  });
  stream.on('end', () => stream.end());
}
