import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { CliError } from '../cli-error.ts';
import type { OpenConnection } from '../forward/tunnel-agent.ts';

export interface LocalPort {
  readonly port: number;
  close(): void;
}

/**
 * Listens on loopback; each connection goes through a tunnel of its own, so that one that breaks ends no other and whoever comes next gets a new one.
 * @param wanted 0 for any
 * @param failed told when a tunnel can't be opened
 * @throws {CliError} when the port is taken
 */
export async function listenLocally(
  wanted: number,
  open: OpenConnection,
  failed: (error: Error) => void,
): Promise<LocalPort> {
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createServer(async (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Until the tunnel is there nobody else listens to it.
    socket.on('error', () => undefined);
    try {
      const tunnel = await open();
      sockets.add(tunnel);
      tunnel.on('close', () => sockets.delete(tunnel));
      await pipeline(socket, tunnel, socket).catch(() => undefined);
      tunnel.destroy();
    } catch (error) {
      failed(error as Error);
    }
    socket.destroy();
  });
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EADDRINUSE' ? `port ${wanted} is taken` : error.message;
    throw new CliError(why, 'name another with --port, or 0 for any');
  });
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}
