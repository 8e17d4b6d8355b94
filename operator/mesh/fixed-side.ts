import type { CanarySide } from '../../api/canary-side.ts';
import type { CanaryFacts } from './canary.ts';
import type { Endpoint } from './snapshot.ts';
import type { SplitResult } from './split.ts';

/**
 * Fixes a Service that is the address of one side of a Canary on that side: neither the weight nor the terms of the split are its own. The side of
 * the new revision is that of the stable one while nothing is under trial, a revision that failed included, and while no pod of it can serve. Where
 * no stable pod is left, the split decides: its requests go where all others go.
 * @param shared what becomes of the target's other Services
 * @param next endpoints of the new revision that can serve
 */
export function fixSide(
  side: CanarySide,
  canary: CanaryFacts,
  shared: SplitResult,
  next: readonly Endpoint[],
): SplitResult {
  const { split, endpoints } = shared;
  const isTried = side === 'canary' && canary.onTrial;
  if (split === undefined) {
    // Before the first request the others have nobody to go to.
    if (!isTried || next.length === 0) return shared;
    const { ref, stable } = canary;
    return { split: { canary: ref, stable, next: canary.next, weight: 100, side }, endpoints: next };
  }
  const { terms: _, asked, ...rest } = split;
  const weight = split.next !== undefined && (isTried || asked !== undefined) ? 100 : 0;
  return { split: { ...rest, weight, side }, endpoints };
}
