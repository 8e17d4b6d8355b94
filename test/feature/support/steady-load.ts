import { connect, type Socket } from 'node:net';

/** Each has one request at a time. */
const CONNECTIONS = 16;
/** With this an answer is the last one of its connection. */
const LAST = 'connection: close';
/** Between two looks at what is due, in ms. */
const TICK_MS = 5;

/**
 * GETs over HTTP/1.1 for one host at a rate, until it is stopped, by connections that are kept. A proxy that does not keep up gets fewer: what could not be
 * sent when it was due is not sent later. Raw, as a client of HTTP is slower than Envoy.
 */
export class SteadyLoad {
  /** Answers by status; what broke off without one is under 0. */
  readonly statuses = new Map<number, number>();
  readonly #address: string;
  readonly #port: number;
  readonly #request: string;
  readonly #perMs: number;
  readonly #sockets = new Set<Socket>();
  #idle: Socket[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(address: string, port: number, host: string, perSecond: number) {
    this.#address = address;
    this.#port = port;
    this.#request = `GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
    this.#perMs = perSecond / 1000;
  }

  start(): void {
    let [owed, last] = [0, performance.now()];
    this.#timer ??= setInterval(() => {
      const now = performance.now();
      owed = Math.min(CONNECTIONS, owed + (now - last) * this.#perMs);
      last = now;
      for (let nth = this.#sockets.size; nth < CONNECTIONS; nth++) this.#connect();
      for (; owed >= 1 && this.#idle.length > 0; owed -= 1) this.#idle.pop()?.write(this.#request);
    }, TICK_MS);
  }

  /** Sends no more; what is under way is answered. */
  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  stop(): void {
    this.pause();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #connect(): void {
    const socket = connect({ host: this.#address, port: this.#port, noDelay: true });
    this.#sockets.add(socket);
    socket.on('connect', () => this.#idle.push(socket));
    socket.on('error', () => {});
    // Answers have no bodies, so that each comes in one packet.
    socket.on('data', (data: Buffer) => {
      const text = data.toString('latin1');
      this.#count(Number(text.slice(9, 12)));
      if (text.includes(LAST)) this.#leave(socket);
      else this.#idle.push(socket);
    });
    socket.on('close', () => {
      if (!this.#sockets.delete(socket)) return;
      if (this.#idle.includes(socket)) this.#idle = this.#idle.filter((other) => other !== socket);
      else if (socket.bytesWritten > 0) this.#count(0);
    });
  }

  /** A listener that is replaced asks to come back by another connection. */
  #leave(socket: Socket): void {
    this.#sockets.delete(socket);
    socket.end();
  }

  #count(status: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }
}
