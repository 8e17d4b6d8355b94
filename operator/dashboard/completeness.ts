import type { Completeness } from '../../api/view/graph-view.ts';
import type { TrafficHistory } from '../telemetry/history/traffic-history.ts';

/**
 * What is not known of a window of what this operator counted itself.
 * @param missing what it lacks, a sentence each
 */
export function countedCompleteness(
  { table: { leftOut, size } }: { readonly table: Pick<TrafficHistory['table'], 'leftOut' | 'size'> },
  missing: readonly string[],
): Completeness {
  const all = [...missing];
  if (leftOut.size > 0) all.push(`${leftOut.size} or more edges are left out: the operator keeps ${size}`);
  return { source: 'operator', complete: all.length === 0, missing: all };
}
