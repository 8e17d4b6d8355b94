import { createServer, type Server } from 'node:tls';
import type { Identity } from './certificate.ts';
import { httpServer } from './http-server.ts';
import { http2Server } from './http2-server.ts';
import { ServerState } from './server-state.ts';

export interface TlsOptions {
  readonly identity: Identity;
  /** PEM of those whose clients count as verified. */
  readonly ca?: string;
}

/**
 * Serves HTTP/1.1 and, when ALPN says `h2`, HTTP/2 over TLS, as the servers without TLS do. Asks for a client certificate,
 * takes any, and none.
 * @returns the listening server, and what closes it
 */
export function serveTls(
  port: number,
  { identity, ca }: TlsOptions,
  state: ServerState = new ServerState(),
): { server: Server; close(): void } {
  const http = httpServer(state);
  const http2 = http2Server(state);
  const server = createServer({
    ...identity,
    ...(ca !== undefined && { ca }),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy());
    (socket.alpnProtocol === 'h2' ? http2.server : http).emit('connection', socket);
  });
  server.listen(port);
  const close = (): void => {
    server.close();
    http.closeAllConnections();
    http2.close();
  };
  return { server, close };
}
