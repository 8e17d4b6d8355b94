import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

/** What a request came to at the server. */
export interface Receipt {
  readonly host: string;
  readonly version: string;
  readonly headers: IncomingMessage['headers'];
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
  const serve = (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
    host: string | undefined,
  ): void => {
    const { headers, httpVersion: version } = request;
    const id = String(headers['x-id']);
    const known = receipts.get(id) ?? [];
    known.push({ host: host ?? '', version, headers });
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
  };
  const http1 = createServer((request, response) => serve(request, response, request.headers.host));
  http1.keepAliveTimeout = 60_000;
  http1.on('upgrade', (_, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  const http2 = createHttp2Server((request, response) => serve(request, response, request.authority));
  http2.on('sessionError', () => {});
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('readable', () => {
      const first: Buffer | null = socket.read();
      if (first === null) return;
      socket.unshift(first);
      (first.subarray(0, 3).toString() === 'PRI' ? http2 : http1).emit('connection', socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    // Listening on an address and port, the server has both.
    port: (server.address() as AddressInfo).port,
    receipts,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
