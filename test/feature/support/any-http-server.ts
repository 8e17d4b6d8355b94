import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

/** Answers a request of either version of HTTP. */
export type Serve = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/** A server of HTTP/1.1, and of HTTP/2 without TLS, on one port. */
export interface AnyHttpServer {
  readonly port: number;
  /** That of HTTP/1.1, for upgrades. */
  readonly http1: Server;
  /** Cuts all connections, too. */
  close(): void;
}

/** @param host of loopback; `0.0.0.0`: all addresses */
export async function startAnyHttpServer(serve: Serve, host = '127.0.0.1'): Promise<AnyHttpServer> {
  const http1 = createServer(serve);
  http1.keepAliveTimeout = 60_000;
  const http2 = createHttp2Server(serve);
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
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    // Listening on an address and port, the server has both.
    port: (server.address() as AddressInfo).port,
    http1,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
