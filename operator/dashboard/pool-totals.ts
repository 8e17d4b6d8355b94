import type { PoolFill, PoolLevel } from '../../api/view/graph-view.ts';
import type { Edge } from '../telemetry/history/edge-table.ts';
import type { OpenPool } from '../telemetry/open-table.ts';

/** Limits of a pool; absent: none. */
export type PoolLimits = Partial<Record<keyof OpenPool, number>>;

/** What one pod has open towards a node. */
export interface PoolReading {
  /** Nodes. */
  readonly source: string;
  readonly destination: string;
  /** What may go over it: where the port does not say, either. */
  readonly transports: readonly Edge['transport'][];
  readonly open: OpenPool;
  readonly limits: PoolLimits;
}

/** What one pod's sidecar has open towards its application, on one port. */
export interface OwnPoolReading {
  /** Node. */
  readonly application: string;
  readonly open: OpenPool;
  readonly limits: PoolLimits;
}

type Ends = Pick<Edge, 'source' | 'destination' | 'transport'>;

/** A pool with how full it is, 0 to 1; undefined: it has no limit. */
interface Fill extends Pick<PoolReading, 'open' | 'limits'> {
  readonly share: number | undefined;
}

/** How full pools of connections are, by edge and by whom they lead to; those towards a sidecar's own application by themselves. */
export class PoolTotals {
  readonly #ofEdge = new Map<string, Fill>();
  readonly #own = new Map<string, Fill>();
  readonly #ofNode = new Map<string, { pending: number; share: number | undefined }>();

  add(reading: PoolReading | OwnPoolReading): void {
    const { open, limits } = reading;
    const fill: Fill = { open, limits, share: shareOf(open, limits) };
    if ('application' in reading) {
      keepFuller(this.#own, reading.application, fill);
      return;
    }
    const { source, destination, transports } = reading;
    for (const transport of transports) {
      keepFuller(this.#ofEdge, keyOf({ source, destination, transport }), fill);
    }
    const node = this.#ofNode.get(destination) ?? { pending: 0, share: undefined };
    node.pending += open.pending;
    if (fill.share !== undefined) node.share = Math.max(fill.share, node.share ?? 0);
    this.#ofNode.set(destination, node);
  }

  /** @param overflow refused in the window; undefined: not known */
  ofEdge(edge: Ends, overflow: number | undefined): PoolFill | undefined {
    return viewOf(this.#ofEdge.get(keyOf(edge)), overflow);
  }

  /** The same of a node's sidecars towards their applications. @param overflow see `ofEdge` */
  ofOwn(node: string, overflow: number | undefined): PoolFill | undefined {
    return viewOf(this.#own.get(node), overflow);
  }

  /** Requests that wait for connections to a node, as far as that is known, and the fullest pool's share. */
  ofNode(node: string): { readonly pending: number; readonly share: number | undefined } {
    return this.#ofNode.get(node) ?? { pending: 0, share: undefined };
  }
}

function keepFuller(fills: Map<string, Fill>, key: string, fill: Fill): void {
  const fullest = fills.get(key);
  if (fullest === undefined || isFuller(fill, fullest)) fills.set(key, fill);
}

function viewOf(fill: Fill | undefined, overflow: number | undefined): PoolFill | undefined {
  if (fill === undefined) return undefined;
  const { open, limits, share } = fill;
  const level = (field: keyof OpenPool): PoolLevel => {
    const limit = limits[field];
    return { now: open[field], ...(limit === undefined ? {} : { limit }) };
  };
  return {
    connections: level('connections'),
    active: level('active'),
    pending: level('pending'),
    ...(share === undefined ? {} : { share }),
    ...(overflow === undefined ? {} : { overflow }),
  };
}

/** Idle connections fill no pool: HTTP/1 keeps them for the next request. */
function shareOf(open: OpenPool, limits: PoolLimits): number | undefined {
  const used: OpenPool = { ...open, connections: Math.min(open.connections, open.active) };
  const shares = (['connections', 'active', 'pending'] as const).flatMap((field) => {
    const limit = limits[field];
    return limit === undefined ? [] : [used[field] / limit];
  });
  return shares.length === 0 ? undefined : Math.max(...shares);
}

function isFuller(one: Fill, than: Fill): boolean {
  if (one.share !== than.share) return (one.share ?? -1) > (than.share ?? -1);
  return sumOf(one.open) > sumOf(than.open);
}

function sumOf({ connections, active, pending }: OpenPool): number {
  return connections + active + pending;
}

function keyOf({ source, destination, transport }: Ends): string {
  return `${source}>${destination}#${transport}`;
}
