import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A server of opaque TCP on all addresses: says its name at once, with its own address where that is not 127.0.0.1, and, when the client has ended its
 * side, how many bytes it heard.
 */
export interface ByteCounter {
  readonly port: number;
  /** How many connections it has had. */
  readonly connections: () => number;
  close(): void;
}

export async function startByteCounter(name: string): Promise<ByteCounter> {
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    connections += 1;
    socket.on('error', () => {});
    const { localAddress } = socket;
    socket.write(localAddress === '127.0.0.1' ? `${name} ` : `${name}@${localAddress} `);
    socket.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    socket.on('end', () => socket.end(String(bytes)));
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  // Listening on an address and port, the server has both.
  return { port: (server.address() as AddressInfo).port, connections: () => connections, close: () => server.close() };
}

/** How a client of bytes takes its leave, after some ms. */
export type Leave = 'end' | 'destroy' | 'reset';

/** What a client of bytes does. */
export interface ByteSpeech {
  readonly address: string;
  readonly port: number;
  readonly bytes?: number;
  readonly leave?: Leave;
  /** Ms after it connected; 0: at once; `heard`: when the server has said something. */
  readonly after?: number | 'heard';
}

/** Longest that a connection may last, in ms. */
const HANG_MS = 20_000;

/** What a client hears until its connection is closed. @throws {Error} when it never is */
export function sendBytes({ address, port, bytes = 0, leave = 'end', after = 0 }: ByteSpeech): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    let heard = '';
    const hang = setTimeout(() => {
      socket.destroy();
      reject(new Error(`a connection to ${address}:${port} was not closed; it heard ${heard}`));
    }, HANG_MS);
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => {
      heard += data.toString();
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(hang);
      resolve(heard);
    });
    if (bytes > 0) socket.write(Buffer.alloc(bytes));
    if (after === 'heard') socket.once('data', () => take(socket, leave));
    else if (after === 0) take(socket, leave);
    else setTimeout(() => take(socket, leave), after);
  });
}

function take(socket: Socket, leave: Leave): void {
  if (leave === 'end') socket.end();
  else if (leave === 'destroy') socket.destroy();
  else socket.resetAndDestroy();
}
