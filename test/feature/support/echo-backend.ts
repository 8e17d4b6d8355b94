import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { startAnyHttpServer } from './any-http-server.ts';

/** What a backend says of a request, and keeps in mind. */
export interface Echo {
  readonly backend: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Its own, as the caller connected to it. */
  readonly address: string;
}

/** A backend on loopback that answers with what it was asked. */
export interface EchoBackend {
  readonly name: string;
  readonly port: number;
  /** Every request since the start or the last `forget`. */
  readonly seen: readonly Echo[];
  forget(): void;
  close(): void;
}

/**
 * Starts a backend. Parameters of the query tell it what to do: `fail=N` the first N times answers 503 (`undelivered`: saying so), `hang=N` the first
 * N times does not answer at all, `grpc=STATUS` says so of gRPC, `failing=NAME` this backend answers 503, `wait=MS` answers so much later. Upgrades are echoed. The answer also says
 * how many bytes the request's body had.
 * @param host of loopback; `0.0.0.0`: all addresses
 */
export async function startEchoBackend(name: string, host = '127.0.0.1'): Promise<EchoBackend> {
  const seen: Echo[] = [];
  const upgraded = new Set<Duplex>();
  const server = await startAnyHttpServer((incoming, response) => {
    const { method = '', url = '', headers, socket } = incoming;
    const echo = { backend: name, method, url, headers, address: socket.localAddress ?? '' };
    seen.push(echo);
    const query = new URL(url, 'http://backend').searchParams;
    if (seen.length <= Number(query.get('hang'))) return;
    const failed = seen.length <= Number(query.get('fail')) || query.get('failing') === name;
    if (failed) response.statusCode = 503;
    if (failed && query.has('undelivered')) response.setHeader('x-heddle-undelivered', 'true');
    response.setHeader('x-from', name);
    const grpcStatus = query.get('grpc');
    if (grpcStatus !== null) response.setHeader('grpc-status', grpcStatus);
    let bytes = 0;
    incoming.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    incoming.on('end', () => {
      setTimeout(() => response.end(JSON.stringify({ ...echo, bytes })), Number(query.get('wait')));
    });
  }, host);
  server.http1.on('upgrade', ({ url }, socket) => {
    upgraded.add(socket);
    const headers = ['connection: upgrade', 'upgrade: websocket', `x-from: ${name}`, `x-path: ${url}`];
    socket.on('error', () => {});
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('\r\n')}\r\n\r\n`);
    socket.pipe(socket);
  });
  return {
    name,
    port: server.port,
    seen,
    forget: () => void seen.splice(0),
    close: () => {
      for (const socket of upgraded) socket.destroy();
      server.close();
    },
  };
}
