import type { Completeness } from './graph-view.ts';

/**
 * `GET /api/series?node=shop/ordering&seconds=3600`, or `edge=shop/ui>shop/ordering`: golden metrics over time, oldest first. `node=*` and `edge=*` give
 * those of all, with as few points as a sparkline needs (`points=60`).
 */
export interface SeriesView extends Completeness {
  /** End of the last point, ms since the epoch. */
  readonly at: number;
  /** Seconds from one point to the next. */
  readonly step: number;
  readonly series: readonly Series[];
}

export interface Series {
  /** Id of the node or edge. */
  readonly id: string;
  /** One value a point; null where nothing is known (which is not zero). */
  readonly perSecond: readonly (number | null)[];
  readonly failuresPerSecond: readonly (number | null)[];
  readonly p50Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
  /** Of nodes. */
  readonly cpuCores?: readonly (number | null)[];
  readonly memoryBytes?: readonly (number | null)[];
}
