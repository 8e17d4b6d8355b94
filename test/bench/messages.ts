/** What the processes of the ADS benches say to each other. */

/** How big the mesh is. */
export interface MeshSize {
  readonly services: number;
  readonly proxies: number;
  /** Over so many namespaces proxies and Services are spread; one by default. */
  readonly namespaces?: number;
  /** Each Service has a VirtualService, and a DestinationRule with two subsets. */
  readonly traffic?: boolean;
  /** Proxies are sent clusters on demand. */
  readonly onDemand?: boolean;
}

/** What changes, as a method of `BenchMesh`. */
export type ChangeKind = 'endpoints' | 'virtualService' | 'destinationRule';

export interface ServerReady {
  readonly port: number;
  readonly rootPem: string;
}

export type ServerRequest =
  | { readonly kind: 'change'; readonly change: ChangeKind; readonly service: number; readonly round: number }
  | { readonly kind: 'measure'; readonly heap: boolean }
  /** Begins to count the virtual hosts that are built anew. */
  | { readonly kind: 'count-hosts' }
  /** Asks how many there were. */
  | { readonly kind: 'hosts' };

/** When the change was made, in ms since the epoch with fractions. */
export interface Changed {
  readonly changedAt: number;
}

export interface Counted {
  readonly counted: number;
}

/** Totals since the start of the process; the longest turn is since the last measurement. */
export interface Measurement {
  readonly cpuSeconds: number;
  readonly encoded: number;
  readonly resources: number;
  readonly pushes: number;
  readonly bytes: number;
  readonly longestTurnMs: number;
  readonly rss: number;
  /** Bytes of heap and buffers after a collection; 0 when it was not asked for. */
  readonly heap: number;
}

export type ServerAnswer = Changed | Counted | Measurement;

export type ClientsRequest =
  | {
      readonly kind: 'connect';
      readonly server: ServerReady;
      readonly first: number;
      readonly count: number;
      /** Clusters that each asks for by name; absent: it has all from the wildcard. */
      readonly uses?: readonly string[];
    }
  /** All come back at once, as after a lost connection. */
  | { readonly kind: 'reconnect' }
  /** Asks for the moments at which each proxy acknowledged its next response of a type. */
  | { readonly kind: 'await'; readonly typeUrl: string };

export interface ClientsAnswer {
  /** Moments, in ms since the epoch with fractions, one per proxy. */
  readonly at: readonly number[];
}
