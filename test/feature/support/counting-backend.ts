import type { IncomingHttpHeaders } from 'node:http';
import { startAnyHttpServer } from './any-http-server.ts';

/** What a request came to at the server. */
export interface Receipt {
  readonly version: string;
  readonly headers: IncomingHttpHeaders;
}

/** Serves HTTP/1.1, HTTP/2 without TLS and WebSockets on one port, and counts every request. */
export interface CountingBackend {
  readonly port: number;
  /** By the header `x-id` of requests, what arrived, whether it came to its end or not. */
  readonly receipts: ReadonlyMap<string, readonly Receipt[]>;
  close(): void;
}

/**
 * Answers with the number of bytes of the request's body, once it has ended; 503 the first time where `x-fail` is set. What is upgraded is echoed.
 */
export async function startCountingBackend(): Promise<CountingBackend> {
  const receipts = new Map<string, Receipt[]>();
  const server = await startAnyHttpServer((request, response) => {
    const { headers, httpVersion: version } = request;
    const id = String(headers['x-id']);
    const known = receipts.get(id) ?? [];
    known.push({ version, headers });
    receipts.set(id, known);
    const fails = headers['x-fail'] !== undefined && known.length === 1;
    let bytes = 0;
    request.on('error', () => {});
    request.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    request.on('end', () => {
      response.statusCode = fails ? 503 : 200;
      response.end(String(bytes));
    });
  });
  server.http1.on('upgrade', (_, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  return { port: server.port, receipts, close: () => server.close() };
}
