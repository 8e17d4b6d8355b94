import { createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { Transform } from 'node:stream';
import { VERSION } from './echo.ts';

/** Asks a TCP server of the testbed who it is. */
export const WHO_AM_I = 'whoami\n';

/** The pod and the version in a greeting, or in the answer to `WHO_AM_I`. */
export function originOf(line: string): { pod: string; version: string } | undefined {
  const [, pod, version] = /^220 (\S+) (\S+)\n/.exec(line) ?? [];
  return pod === undefined || version === undefined ? undefined : { pod, version };
}

/**
 * Serves plain TCP.
 * @param greets true: speaks first, as mail and MySQL servers do, with a line `220 POD VERSION`; after that, and otherwise
 *   from the start, it sends back what it gets, but for `whoami` on a line, which it answers with that same line of its own
 */
export function serveTcp(port: number, greets: boolean): Server {
  const greeting = `220 ${hostname()} ${VERSION}\n`;
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    if (greets) socket.write(greeting);
    const answers = new Transform({
      transform: (chunk: Buffer, _encoding, done) => done(null, chunk.equals(Buffer.from(WHO_AM_I)) ? greeting : chunk),
    });
    socket.pipe(answers).pipe(socket);
  });
  return server.listen(port);
}
