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

/** How full pools of connections are, by edge and by whom they lead to. */
export class PoolTotals {
  readonly #ofEdge = new Map<string, { readonly open: OpenPool; readonly limits: PoolLimits }>();
  readonly #ofNode = new Map<string, { pending: number; share: number | undefined }>();

  add({ source, destination, transports, open, limits }: PoolReading): void {
    const share = shareOf(open, limits);
    for (const transport of transports) {
      const key = keyOf({ source, destination, transport });
      const fullest = this.#ofEdge.get(key);
      if (fullest === undefined || isFuller(open, share, fullest)) this.#ofEdge.set(key, { open, limits });
    }
    const node = this.#ofNode.get(destination) ?? { pending: 0, share: undefined };
    node.pending += open.pending;
    if (share !== undefined) node.share = Math.max(share, node.share ?? 0);
    this.#ofNode.set(destination, node);
  }

  /** @param overflow refused in the window; undefined: not known */
  ofEdge(edge: Ends, overflow: number | undefined): PoolFill | undefined {
    const fullest = this.#ofEdge.get(keyOf(edge));
    if (fullest === undefined) return undefined;
    const { open, limits } = fullest;
    const level = (field: keyof OpenPool): PoolLevel => {
      const limit = limits[field];
      return { now: open[field], ...(limit === undefined ? {} : { limit }) };
    };
    const share = shareOf(open, limits);
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

function isFuller(
  open: OpenPool,
  share: number | undefined,
  than: { readonly open: OpenPool; readonly limits: PoolLimits },
): boolean {
  const other = shareOf(than.open, than.limits);
  if (share !== other) return (share ?? -1) > (other ?? -1);
  return open.pending + open.active + open.connections > than.open.pending + than.open.active + than.open.connections;
}

function keyOf({ source, destination, transport }: Ends): string {
  return `${source}>${destination}#${transport}`;
}
