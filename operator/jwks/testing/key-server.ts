import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of keys on loopback. */
export interface KeyServer {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
  /** Bytes that it got rid of, over all connections. */
  sent(): number;
  stop(): Promise<void>;
}

/** @param answer to every request; one that never ends the response hangs */
export async function startKeyServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<KeyServer> {
  const asked: string[] = [];
  const counts: (() => number)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    counts.push(() => socket.bytesWritten);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Listening on an address and port, the server has both.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    sent: () => counts.reduce((sum, count) => sum + count(), 0),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
