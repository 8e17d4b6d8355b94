import { ENDPOINT_TYPE, LISTENER_TYPE, VIRTUAL_HOST_TYPE } from '../../operator/xds/resource.ts';
import { Child, OPERATOR_ENVIRONMENT, POD_FLAGS } from './child.ts';
import type {
  Arrivals,
  Changed,
  ChangeKind,
  ChangeRequest,
  ClientsAnswer,
  Counted,
  Holding,
  Manner,
  Measurement,
  MeshSize,
  ServerReady,
} from './messages.ts';

/** Of which type the last response is that a change comes to. */
const LAST: Readonly<Record<ChangeKind, string>> = {
  endpoints: ENDPOINT_TYPE,
  virtualService: VIRTUAL_HOST_TYPE,
  // Endpoints of a cluster come again after it.
  destinationRule: ENDPOINT_TYPE,
  authorizationPolicy: LISTENER_TYPE,
};

const WAVE = 50;

/** How the control plane is run. */
const AS_IN_POD = { flags: POD_FLAGS, env: { ...process.env, ...OPERATOR_ENVIRONMENT } };

/** A control plane and its proxies, in a process each. */
export class AdsTestbed {
  readonly clients: Child;
  private server: Child;
  private readonly size: MeshSize;
  /** Where the control plane is. */
  readonly ready: ServerReady;
  /** Everything that was changed so far. */
  readonly changes: ChangeRequest[] = [];
  private connected = 0;
  /** When the last change was made, in ms since the epoch. */
  changedAt = 0;

  private constructor(size: MeshSize, server: Child, clients: Child, ready: ServerReady) {
    this.size = size;
    this.server = server;
    this.clients = clients;
    this.ready = ready;
  }

  static async start(size: MeshSize): Promise<AdsTestbed> {
    const server = new Child('./control-plane.ts', JSON.stringify(size), AS_IN_POD);
    const clients = new Child('./proxy-clients.ts');
    const ready = await server.next<ServerReady>();
    await clients.next();
    return new AdsTestbed(size, server, clients, ready);
  }

  /**
   * Connects so many proxies at once; gives how long each took to have everything, in ms.
   * @param uses lists of clusters that proxies ask for by name, by turns, where clusters are sent on demand
   * @param lasting they come back by themselves
   */
  async connect(count: number, uses?: readonly (readonly string[])[], lasting?: Manner): Promise<number[]> {
    const begun = performance.timeOrigin + performance.now();
    const request = { kind: 'connect', server: this.ready, first: this.connected, count, uses, lasting };
    this.connected += count;
    const { at } = await this.clients.ask<ClientsAnswer>(request);
    return at.map((moment) => moment - begun);
  }

  /** Connects so many proxies, fifty at a time: a process that plays them all is too slow for the time that more TLS handshakes may take. */
  async connectInWaves(count: number, uses?: readonly (readonly string[])[]): Promise<void> {
    for (let joined = 0; joined < count; joined += WAVE) {
      const wave = Math.min(WAVE, count - joined);
      const turn = uses && Array.from({ length: wave }, (_, nth) => uses[(joined + nth) % uses.length] ?? []);
      await this.connect(wave, turn);
    }
  }

  /** All proxies come back at once and say what they hold; gives how long it took until each was heard out, in ms. */
  async reconnect(): Promise<number[]> {
    const begun = performance.timeOrigin + performance.now();
    const { at } = await this.clients.ask<ClientsAnswer>({ kind: 'reconnect' });
    return at.map((moment) => moment - begun);
  }

  /**
   * Changes something of one Service; gives how long each proxy took from the change to its ACK, in ms.
   * @param name of a cluster: only proxies that hold its endpoints are waited for
   */
  async change(change: ChangeKind, service: number, round: number, name?: string): Promise<number[]> {
    await this.clients.ask<ClientsAnswer>({ kind: 'await', typeUrl: LAST[change], name });
    const changedAt = await this.publish(change, service, round);
    const { at } = await this.clients.next<ClientsAnswer>();
    return at.map((moment) => moment - changedAt);
  }

  /** Changes something of one Service and waits for nobody; gives when, in ms since the epoch. */
  async publish(change: ChangeKind, service: number, round: number): Promise<number> {
    const request: ChangeRequest = { kind: 'change', change, service, round };
    this.changes.push(request);
    this.changedAt = (await this.server.ask<Changed>(request)).changedAt;
    return this.changedAt;
  }

  /** Ends the control plane as a crash would, and starts it again at the same place with the mesh as it is by now. */
  async crash(): Promise<void> {
    this.server.signal('SIGKILL');
    await this.server.stop();
    this.server = new Child(
      './control-plane.ts',
      JSON.stringify({ ...this.size, listen: this.ready, changes: this.changes }),
      AS_IN_POD,
    );
    await this.server.next<ServerReady>();
  }

  /** Has the control plane stand still, or go on. */
  freeze(frozen: boolean): void {
    this.server.signal(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Notes when endpoints arrive at proxies while something runs. */
  async record(run: () => Promise<unknown>): Promise<Arrivals> {
    await this.clients.ask<ClientsAnswer>({ kind: 'record' });
    await run();
    return this.clients.ask<Arrivals>({ kind: 'recorded' });
  }

  /** What proxies hold now. */
  async holdings(first: number, count: number): Promise<readonly Holding[]> {
    const { holdings } = await this.clients.ask<{ readonly holdings: readonly Holding[] }>({
      kind: 'holdings',
      first,
      count,
    });
    return holdings;
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
