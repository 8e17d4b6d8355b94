import type { Socket } from 'node:net';

/** Handshakes under way at one time: each costs about a millisecond of CPU, and one turn of the event loop may get them all. */
const MAX_UNDERWAY = 16;
/** A connection that has not authenticated after so long, in ms, holds its place no longer. */
const PLACE_MS = 100;

/**
 * Lets new connections begin a few at a time, so that a thousand proxies that come at once do not hold up those that are
 * there. A connection leaves when it is authenticated, closed, or too slow: who says nothing holds up nobody.
 */
export class HandshakeGate {
  private readonly waiting = new Map<Socket, () => void>();
  private readonly underway = new Map<Socket, NodeJS.Timeout>();

  /** Connections that have not had their turn. */
  get waitingCount(): number {
    return this.waiting.size;
  }

  /** Begins with a connection now, or when it is its turn. */
  enter(socket: Socket, begin: () => void): void {
    if (this.underway.size < MAX_UNDERWAY) {
      this.begin(socket, begin);
    } else {
      this.waiting.set(socket, begin);
    }
  }

  /** The connection is authenticated or closed. */
  leave(socket: Socket): void {
    this.waiting.delete(socket);
    const timer = this.underway.get(socket);
    if (timer === undefined) {
      return;
    }
    clearTimeout(timer);
    this.underway.delete(socket);
    // Not now: what is on the event loop already goes first.
    if (this.waiting.size > 0) {
      setImmediate(() => this.beginWaiting());
    }
  }

  /** Fills the free places. Those who closed meanwhile take none: a place they took away would be missing to the others. */
  private beginWaiting(): void {
    for (const [socket, begin] of this.waiting) {
      if (this.underway.size >= MAX_UNDERWAY) {
        return;
      }
      this.waiting.delete(socket);
      this.begin(socket, begin);
    }
  }

  private begin(socket: Socket, begin: () => void): void {
    if (socket.destroyed) {
      return;
    }
    const timer = setTimeout(() => this.leave(socket), PLACE_MS);
    // The socket itself keeps the process up as long as it should be.
    timer.unref();
    this.underway.set(socket, timer);
    begin();
  }
}
