/** What the processes of the ADS benches say to each other. */

/** How big the mesh is. */
export interface MeshSize {
  readonly services: number;
  readonly proxies: number;
}

export interface ServerReady {
  readonly port: number;
  readonly rootPem: string;
}

export type ServerRequest =
  | { readonly kind: 'change'; readonly service: number; readonly round: number }
  | { readonly kind: 'measure'; readonly heap: boolean };

/** When the change was made, in ms since the epoch with fractions. */
export interface Changed {
  readonly changedAt: number;
}

/** Totals since the start of the process; the longest turn is since the last measurement. */
export interface Measurement {
  readonly cpuSeconds: number;
  readonly encoded: number;
  readonly pushes: number;
  readonly bytes: number;
  readonly longestTurnMs: number;
  readonly rss: number;
  /** Bytes of heap and buffers after a collection; 0 when it was not asked for. */
  readonly heap: number;
}

export type ServerAnswer = Changed | Measurement;

export type ClientsRequest =
  | { readonly kind: 'connect'; readonly server: ServerReady; readonly first: number; readonly count: number }
  /** Asks for the moments at which each proxy acknowledged its next load assignment. */
  | { readonly kind: 'await-endpoints' };

export interface ClientsAnswer {
  /** Moments, in ms since the epoch with fractions, one per proxy. */
  readonly at: readonly number[];
}
