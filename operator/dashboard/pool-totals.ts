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

type Ends = Pick<Edge, 'source' | 'destination' | 'transport'>;

/** A pool with how full it is, 0 to 1; undefined: it has no limit. */
interface Fill extends Pick<PoolReading, 'open' | 'limits'> {
  readonly share: number | undefined;
}

/** How full pools of connections are, by edge and by whom they lead to. */
export class PoolTotals {
  readonly #ofEdge = new Map<string, Fill>();
  readonly #ofNode = new Map<string, { pending: number; share: number | undefined }>();

  add({ source, destination, transports, open, limits }: PoolReading): void {
    const fill: Fill = { open, limits, share: shareOf(open, limits) };
    for (const transport of transports) {
      const key = keyOf({ source, destination, transport });
      const fullest = this.#ofEdge.get(key);
      if (fullest === undefined || isFuller(fill, fullest)) this.#ofEdge.set(key, fill);
    }
    const node = this.#ofNode.get(destination) ?? { pending: 0, share: undefined };
    node.pending += open.pending;
    if (fill.share !== undefined) node.share = Math.max(fill.share, node.share ?? 0);
    this.#ofNode.set(destination, node);
  }

  /** @param overflow refused in the window; undefined: not known */
  ofEdge(edge: Ends, overflow: number | undefined): PoolFill | undefined {
    const fullest = this.#ofEdge.get(keyOf(edge));
    if (fullest === undefined) return undefined;
    const { open, limits, share } = fullest;
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

  /** Requests that wait for connections to a node, as far as that is known, and the fullest pool's share. */
  ofNode(node: string): { readonly pending: number; readonly share: number | undefined } {
    return this.#ofNode.get(node) ?? { pending: 0, share: undefined };
  }
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
