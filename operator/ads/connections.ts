import type { Socket } from 'node:net';
import { HandshakeGate } from './handshake-gate.ts';

/** Bounds of connections that have not proved who they are. */
export interface ConnectionSettings {
  /** From accept to the first authenticated stream, in ms. */
  readonly authenticateWithinMs: number;
  readonly maxUnauthenticated: number;
  readonly maxUnauthenticatedPerAddress: number;
}

export const CONNECTION_SETTINGS: ConnectionSettings = {
  authenticateWithinMs: 20_000,
  maxUnauthenticated: 2_000,
  maxUnauthenticatedPerAddress: 64,
};

/** Watches every TCP connection until a stream on it is authenticated, and closes those that take too long or are too many. */
export class Connections {
  private readonly settings: ConnectionSettings;
  private readonly unauthenticated = new Map<string, { socket: Socket; timer: NodeJS.Timeout; address: string }>();
  private readonly perAddress = new Map<string, number>();
  private readonly gate = new HandshakeGate();
  private readonly all = new Map<string, Socket>();

  constructor(settings: ConnectionSettings) {
    this.settings = settings;
  }

  get size(): number {
    return this.all.size;
  }

  /** Connections whose handshake has not begun. */
  get waiting(): number {
    return this.gate.waitingCount;
  }

  /** Takes a new connection, or destroys it. @param begin starts TLS on it, when it is its turn */
  admit(socket: Socket, begin: () => void): void {
    const address = socket.remoteAddress;
    socket.on('error', () => socket.destroy());
    if (
      address === undefined ||
      this.unauthenticated.size >= this.settings.maxUnauthenticated ||
      (this.perAddress.get(address) ?? 0) >= this.settings.maxUnauthenticatedPerAddress
    ) {
      socket.destroy();
      return;
    }
    const peer = `${address}:${socket.remotePort}`;
    const timer = setTimeout(() => socket.destroy(), this.settings.authenticateWithinMs);
    timer.unref();
    this.unauthenticated.set(peer, { socket, timer, address });
    this.perAddress.set(address, (this.perAddress.get(address) ?? 0) + 1);
    this.all.set(peer, socket);
    socket.once('close', () => {
      if (this.all.get(peer) === socket) {
        this.all.delete(peer);
      }
      this.forget(peer, socket);
    });
    this.gate.enter(socket, begin);
  }

  /** A stream on the connection of this peer (`address:port`) proved who it is. */
  authenticated(peer: string): void {
    const entry = this.unauthenticated.get(peer);
    if (entry !== undefined) {
      this.forget(peer, entry.socket);
    }
  }

  /** Closes the connection of a peer, with all its streams. */
  destroy(peer: string): void {
    this.all.get(peer)?.destroy();
  }

  destroyAll(): void {
    for (const socket of this.all.values()) {
      socket.destroy();
    }
  }

  private forget(peer: string, socket: Socket): void {
    const entry = this.unauthenticated.get(peer);
    if (entry === undefined || entry.socket !== socket) {
      return;
    }
    clearTimeout(entry.timer);
    this.gate.leave(socket);
    this.unauthenticated.delete(peer);
    const left = (this.perAddress.get(entry.address) ?? 1) - 1;
    if (left > 0) {
      this.perAddress.set(entry.address, left);
    } else {
      this.perAddress.delete(entry.address);
    }
  }
}
