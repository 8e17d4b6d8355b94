import { createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { VERSION } from './echo.ts';

/**
 * Serves plain TCP.
 * @param greets true: speaks first, as mail and MySQL servers do, with a line `220 POD VERSION`; after that, and otherwise
 *   from the start, it sends back what it gets
 */
export function serveTcp(port: number, greets: boolean): Server {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    if (greets) socket.write(`220 ${hostname()} ${VERSION}\n`);
    socket.pipe(socket);
  });
  return server.listen(port);
}
