import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECK, decideCheck } from './authorizer.ts';
import { isDraining } from './drain.ts';
import { MessageReader, writeMessage } from './grpc-frame.ts';
import type { ServerState } from './server-state.ts';
import { describeStream } from './stream-echo.ts';
import { readWishes } from './wishes.ts';

/** grpc.health.v1.HealthCheckResponse with status SERVING (1) and NOT_SERVING (2). */
const SERVING = Buffer.from([0x08, 1]);
const NOT_SERVING = Buffer.from([0x08, 2]);

/** The gRPC statuses UNIMPLEMENTED and UNAVAILABLE. */
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;

/**
 * Answers gRPC: `/testbed.Echo/Unary` (the echo as JSON, or the gRPC status wished for by `x-status` or `x-fail`; see
 * `readWishes`), `/testbed.Echo/Stream` (every message back, one by one), Envoy's questions (`authorizer.ts`) and `/grpc.health.v1.Health/Check`.
 */
export function answerGrpc(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, state: ServerState): void {
  const path = headers[':path'] ?? '';
  const reader = new MessageReader();
  if (path === '/testbed.Echo/Unary') {
    stream.once('data', (chunk: Buffer) => {
      const bodyBytes = reader.push(chunk)[0]?.length ?? 0;
      answerUnary(stream, headers, state, bodyBytes).catch(() => stream.destroy());
    });
    stream.on('data', () => {});
    return;
  }
  const known = path === CHECK || path === '/testbed.Echo/Stream' || path === '/grpc.health.v1.Health/Check';
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  const failing = path === CHECK && state.behaviour.errors ? UNAVAILABLE : undefined;
  const status = failing ?? (known ? (readWishes('', headers).status ?? 0) : UNIMPLEMENTED);
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }));
  stream.on('data', (chunk: Buffer) => {
    for (const message of reader.push(chunk)) {
      if (path === CHECK && failing === undefined) stream.write(writeMessage(decideCheck(message)));
      else if (path === '/testbed.Echo/Stream') stream.write(writeMessage(message));
      else if (known && path !== CHECK)
        stream.write(writeMessage(isDraining() || !state.behaviour.ready ? NOT_SERVING : SERVING));
    }
  });
  stream.on('end', () => stream.end());
}

async function answerUnary(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  state: ServerState,
  bodyBytes: number,
): Promise<void> {
  const leave = await state.pool.enter();
  try {
    const wishes = readWishes('', headers);
    const verdict = state.judge(wishes, headers[':authority'] ?? headers.host ?? '');
    if (verdict.delayMs > 0) await sleep(verdict.delayMs);
    if (verdict.reset) {
      stream.close(2);
      return;
    }
    // The wishes speak of HTTP's statuses; a failing pod is UNAVAILABLE in gRPC whatever its HTTP status.
    const failure = wishes.failStatus !== undefined && !state.behaviour.errors ? wishes.failStatus : UNAVAILABLE;
    const status = verdict.fails ? failure : (verdict.status ?? 0);
    const head = { ':status': 200, 'content-type': 'application/grpc' };
    if (status !== 0) {
      // Nothing but trailers, as gRPC servers answer a call they refuse; proxies decide on retries by it.
      stream.respond({ ...head, 'grpc-status': String(status), 'grpc-message': 'as wished' }, { endStream: true });
      return;
    }
    stream.respond(head, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    const seen = { ...describeStream(stream, headers, 'grpc', bodyBytes), attempt: verdict.attempt };
    stream.end(writeMessage(Buffer.from(JSON.stringify(seen))));
  } finally {
    leave();
  }
}
