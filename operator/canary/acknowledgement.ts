import type { Draft } from './draft.ts';
import type { Coverage } from './observation.ts';

/** A sidecar that never acknowledges must not hold up every release of the mesh. */
const PATIENCE_MS = 30_000;
/** How often what is not in force yet is looked at besides, the less often the longer it takes: who waits for it is woken by acknowledgements. */
const [POLL_MS, SLOWEST_POLL_MS] = [200, 2000];

/** Whether callers have what was asked for: all, or after a while some. If not, it is looked at again. */
export function isAcknowledged(draft: Draft, { callers, acknowledged }: Coverage): boolean {
  if (acknowledged >= callers) return true;
  if (acknowledged > 0 && draft.stalledMs() >= PATIENCE_MS) return true;
  draft.requeue(Math.min(Math.max(draft.stalledMs(), POLL_MS), SLOWEST_POLL_MS));
  return false;
}
