import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { type Echo, echo, flatHeaders } from './echo.ts';
import { tlsSeen } from './tls-seen.ts';

/** The echo of a stream. */
export function describeStream(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  protocol: string,
  bodyBytes: number,
): Echo {
  const socket = stream.session?.socket;
  const tls = tlsSeen(socket);
  return echo({
    protocol,
    method: headers[':method'] ?? '',
    path: headers[':path'] ?? '/',
    headers: flatHeaders(headers),
    bodyBytes,
    remoteAddress: socket?.remoteAddress ?? '',
    ...(tls && { tls }),
  });
}
