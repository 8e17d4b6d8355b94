import { ENDPOINT_TYPE, VIRTUAL_HOST_TYPE } from '../../operator/xds/resource.ts';
import { Child } from './child.ts';
import type { Changed, ChangeKind, ClientsAnswer, Counted, Measurement, MeshSize, ServerReady } from './messages.ts';

/** Of which type the last response is that a change comes to. */
const LAST: Readonly<Record<ChangeKind, string>> = {
  endpoints: ENDPOINT_TYPE,
  virtualService: VIRTUAL_HOST_TYPE,
  // Endpoints of a cluster come again after it.
  destinationRule: ENDPOINT_TYPE,
};

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

  /**
   * Connects so many proxies at once; gives how long each took to have everything, in ms.
   * @param uses clusters that each asks for by name, where clusters are sent on demand
   */
  async connect(count: number, uses?: readonly string[]): Promise<number[]> {
    const begun = performance.timeOrigin + performance.now();
    const request = { kind: 'connect', server: this.ready, first: this.connected, count, uses };
    const { at } = await this.clients.ask<ClientsAnswer>(request);
    this.connected += count;
    return at.map((moment) => moment - begun);
  }

  /** All proxies come back at once and say what they hold; gives how long it took until each was heard out, in ms. */
  async reconnect(): Promise<number[]> {
    const begun = performance.timeOrigin + performance.now();
    const { at } = await this.clients.ask<ClientsAnswer>({ kind: 'reconnect' });
    return at.map((moment) => moment - begun);
  }

  /** Changes something of one Service; gives how long each proxy took from the change to its ACK, in ms. */
  async change(change: ChangeKind, service: number, round: number): Promise<number[]> {
    await this.clients.ask<ClientsAnswer>({ kind: 'await', typeUrl: LAST[change] });
    const { changedAt } = await this.server.ask<Changed>({ kind: 'change', change, service, round });
    const { at } = await this.clients.next<ClientsAnswer>();
    return at.map((moment) => moment - changedAt);
  }

  /** Virtual hosts that are built anew while something runs. It is slower then. */
  async countHosts(run: () => Promise<unknown>): Promise<number> {
    await this.server.ask({ kind: 'count-hosts' });
    await run();
    return (await this.server.ask<Counted>({ kind: 'hosts' })).counted;
  }

  measure(heap = false): Promise<Measurement> {
    return this.server.ask<Measurement>({ kind: 'measure', heap });
  }

  async stop(): Promise<void> {
    await this.clients.stop();
    await this.server.stop();
  }
}
