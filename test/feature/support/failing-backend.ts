import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

const GOOD = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const BAD = 'HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n';
const HEAD_END = '\r\n\r\n';

/** An application on loopback that fails requests at random, and counts what it did. Raw: a server of HTTP costs more than a proxy. */
export interface FailingBackend {
  readonly port: number;
  /** Of a request to fail, 0 to 1. */
  chance: number;
  requests: number;
  failures: number;
  close(): void;
}

/** Takes requests without bodies, one at a time on each connection, as proxies send them. */
export async function startFailingBackend(): Promise<FailingBackend> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let rest = '';
    socket.on('data', (data: Buffer) => {
      rest += data.toString('latin1');
      for (let end = rest.indexOf(HEAD_END); end >= 0; end = rest.indexOf(HEAD_END)) {
        rest = rest.slice(end + HEAD_END.length);
        const fails = Math.random() < backend.chance;
        backend.requests += 1;
        backend.failures += fails ? 1 : 0;
        socket.write(fails ? BAD : GOOD);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const backend: FailingBackend = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    chance: 0,
    requests: 0,
    failures: 0,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return backend;
}
