import type { Completeness } from '../../api/view/graph-view.ts';
import type { TrafficHistory } from '../telemetry/history/traffic-history.ts';

/** What this operator counted itself. */
export interface CountedPorts {
  readonly history: TrafficHistory;
  /** What is not known of a window that begins at a moment (ms since the epoch): a sentence each. */
  missing(since: number, now: number): readonly string[];
}

/** What is not known of a window of it. @param since when it begins, in ms since the epoch */
export function countedCompleteness(ports: CountedPorts, since: number, now: number): Completeness {
  const { leftOut, size } = ports.history.table;
  const all = [...ports.missing(since, now)];
  if (leftOut.size > 0) all.push(`${leftOut.size} or more edges are left out: the operator keeps ${size}`);
  return { source: 'operator', complete: all.length === 0, missing: all };
}
