import { durationMs } from '../../api/duration.ts';
import type { Draft } from './draft.ts';
import { isBlueGreen } from './plan.ts';
import type { Release } from './release.ts';
import { weightForPods } from './weights.ts';

/**
 * The weight while a proven revision grows to full size: what its pods carry. With `stepWeightPromotion` it rises by that much every interval; as blue/green
 * it goes from nothing to all at once.
 */
export function promotionWeight(draft: Draft, { spec, target, next }: Release): number {
  const { state } = draft;
  const { analysis } = spec;
  const { weight = 0 } = state;
  const carried = weightForPods(next.pods.eligible, target.replicas);
  const by = analysis.stepWeightPromotion;
  if (by === undefined) return isBlueGreen(analysis) && carried < 100 ? Math.min(weight, carried) : carried;
  if (carried <= weight) return carried;
  const interval = durationMs(analysis.interval);
  const since = state.stepStartTime === undefined ? undefined : Date.parse(state.stepStartTime);
  const left = since === undefined ? 0 : since + interval - Date.parse(draft.now);
  if (left > 0) {
    draft.requeue(left);
    return weight;
  }
  state.stepStartTime = draft.now;
  draft.progress();
  draft.requeue(interval);
  return Math.min(carried, weight + by);
}

/** Time between two steps of a promotion, in which nothing moves; 0 when it has none. */
export function paceMs({ spec: { analysis } }: Release): number {
  return analysis.stepWeightPromotion === undefined ? 0 : durationMs(analysis.interval);
}
