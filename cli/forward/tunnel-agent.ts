import { Agent, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';

/** Opens one more connection to where an agent's requests go. */
export type OpenConnection = () => Promise<Duplex>;

/** Has HTTP requests go through tunnels, which stay open for those that follow. */
export class TunnelAgent extends Agent {
  readonly #open: OpenConnection;
  #destroyed = false;

  constructor(open: OpenConnection) {
    super({ keepAlive: true, maxSockets: 4 });
    this.#open = open;
  }

  override createConnection(_options: ClientRequestArgs, created: (error: Error | null, stream: Duplex) => void) {
    this.#open().then(
      (tunnel) => {
        // Nobody is left to close one that comes after the end.
        if (this.#destroyed) tunnel.destroy();
        // Half open it would be taken for the next request, which nobody answers.
        tunnel.once('end', () => tunnel.destroy());
        created(tunnel.errored, tunnel);
      },
      (error: Error) => created(error, undefined as never),
    );
    // Node takes the one that the callback gives.
    return undefined as never;
  }

  override destroy(): void {
    this.#destroyed = true;
    super.destroy();
  }
}
