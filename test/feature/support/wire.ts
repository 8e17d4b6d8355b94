import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What went over one connection, each direction by itself. */
export interface Overheard {
  readonly port: number;
  readonly sent: Buffer;
  readonly answered: Buffer;
}

interface Passing {
  readonly port: number;
  readonly sent: Buffer[];
  readonly answered: Buffer[];
}

/**
 * The way from callers to a pod: takes connections at the pod's address, keeps what goes over them, and leads them to the pod's sidecar, as the
 * network and redirection would; or, when told, to somebody who has got in between.
 */
export class Wire {
  /** Port of loopback of who has got in between. */
  diverted: number | undefined;
  private readonly at: number;
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private passing: Passing[] = [];

  /** @param at port of loopback of the sidecar's inbound listener, which takes the PROXY protocol */
  constructor(at: number) {
    this.at = at;
  }

  /** Takes connections to a port of the pod. */
  async listen(address: string, port: number): Promise<void> {
    const server = createServer({ noDelay: true }, (near) => this.lead(near, port));
    server.listen(port, address);
    await once(server, 'listening');
    this.servers.push(server);
  }

  /** A connection to a port of the pod, as its sidecar takes it. */
  toSidecar(port: number): Socket {
    const socket = connect({ port: this.at, host: '127.0.0.1', noDelay: true });
    socket.write(`PROXY TCP4 127.0.0.1 127.0.0.1 40000 ${port}\r\n`);
    return socket;
  }

  /** What went over since the last time it was asked, and connections that are there still from then on. */
  overheard(): readonly Overheard[] {
    const all = this.passing.map(({ port, sent, answered }) => ({
      port,
      sent: Buffer.concat(sent),
      answered: Buffer.concat(answered),
    }));
    this.passing = [];
    return all;
  }

  /** Ends all connections, so that the next request makes a new one. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    for (const server of this.servers) server.close();
    this.cut();
  }

  private lead(near: Socket, port: number): void {
    const far =
      this.diverted === undefined
        ? this.toSidecar(port)
        : connect({ port: this.diverted, host: '127.0.0.1', noDelay: true });
    const passing: Passing = { port, sent: [], answered: [] };
    this.passing.push(passing);
    for (const [one, other, kept] of [
      [near, far, passing.sent],
      [far, near, passing.answered],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => {});
      one.on('data', (bytes: Buffer) => kept.push(bytes));
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroySoon();
      });
      one.pipe(other);
    }
  }
}
