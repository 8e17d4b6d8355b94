import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A port of loopback that leads to several others in turn, as a Service does. */
export class ServiceFront {
  readonly #server: Server;
  readonly #sockets = new Map<Socket, number>();
  #targets: readonly number[] = [];
  #next = 0;

  constructor() {
    this.#server = createServer((incoming) => this.#lead(incoming));
  }

  /** @returns the port */
  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Leads to these from now on; connections to others are cut. */
  set(targets: readonly number[]): void {
    this.#targets = targets;
    for (const [socket, target] of this.#sockets) if (!targets.includes(target)) socket.destroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.keys()) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #lead(incoming: Socket): void {
    const target = this.#targets[this.#next++ % this.#targets.length];
    incoming.on('error', () => incoming.destroy());
    if (target === undefined) return void incoming.destroy();
    const outgoing = connect(target, '127.0.0.1').on('error', () => incoming.destroy());
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.set(one, target);
      one.pipe(other);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
