import { Child } from './child.ts';
import type { ClientsAnswer, Measurement, MeshSize, ServerReady } from './messages.ts';

/** A control plane and its proxies, in a process each. */
export class AdsTestbed {
  readonly server: Child;
  readonly clients: Child;
  private readonly ready: ServerReady;
  private connected = 0;

  private constructor(server: Child, clients: Child, ready: ServerReady) {
    this.server = server;
    this.clients = clients;
    this.ready = ready;
  }

  static async start(size: MeshSize): Promise<AdsTestbed> {
    const server = new Child('./control-plane.ts', JSON.stringify(size));
    const clients = new Child('./proxy-clients.ts');
    const ready = await server.next<ServerReady>();
    await clients.next();
    return new AdsTestbed(server, clients, ready);
  }

  /** Connects so many proxies at once; gives how long each took to have everything, in ms. */
  async connect(count: number): Promise<number[]> {
    const begun = performance.timeOrigin + performance.now();
    const request = { kind: 'connect', server: this.ready, first: this.connected, count };
    const { at } = await this.clients.ask<ClientsAnswer>(request);
    this.connected += count;
    return at.map((moment) => moment - begun);
  }

  measure(heap = false): Promise<Measurement> {
    return this.server.ask<Measurement>({ kind: 'measure', heap });
  }

  async stop(): Promise<void> {
    await this.clients.stop();
    await this.server.stop();
  }
}
