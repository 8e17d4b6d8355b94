import { durationMs } from '../../api/duration.ts';
import type { Draft } from './draft.ts';
import { fail } from './failure.ts';
import { carriedWeight, type Step } from './plan.ts';
import type { Release } from './release.ts';
import { describeSide } from './side.ts';
import { type failCheck, stall } from './waiting.ts';
import { podsForWeight } from './weights.ts';

/**
 * A container that ended under analysis is a failed check at once, whatever the requests say. One that will never run ends the release, unless
 * the stable revision has the same trouble: then it may be the registry, or what all of them need.
 * @param failed counts a check that failed
 * @returns whether one did
 */
export function checkCrashes(draft: Draft, { spec, target, next }: Release, failed: typeof failCheck): boolean {
  const { state } = draft;
  const { restarts, broken } = next.pods;
  const isShared = target.revisions.get(state.stableRevision ?? '')?.pods.broken?.reason === broken?.reason;
  if (broken && !isShared) {
    fail(draft, next.revision, broken.reason, broken.message);
    return true;
  }
  const before = state.restarts ?? 0;
  state.restarts = restarts;
  if (restarts > before) {
    failed(draft, next.revision, spec.analysis.threshold, `containers restarted ${restarts - before} times`);
    return true;
  }
  if (!broken || draft.stalledMs() < durationMs(spec.analysis.interval)) return false;
  failed(draft, next.revision, spec.analysis.threshold, broken.message);
  return true;
}

/** Whether the pods are there that the step needs. */
export function hasCapacity(draft: Draft, stage: Release, step: Step): boolean {
  const { state } = draft;
  const { replicas } = stage.target;
  const { eligible, trouble } = stage.next.pods;
  const needed = podsForWeight(step.pods, replicas);
  if (eligible > (state.canaryPods ?? 0)) {
    state.canaryPods = eligible;
    draft.progress();
  }
  if (eligible >= needed) return true;
  // Requests that the pods at hand can't carry would fail for a reason that is none of the revision's.
  state.weight = Math.min(state.weight ?? 0, carriedWeight(step, eligible, replicas));
  // A copy is nobody's request. Users that are matched stay where they are, as long as there is a pod.
  draft.clear('stepStartTime', 'mirrorWeight');
  const message = `${eligible} of the ${needed} pods that this step needs are ready (${describeSide(step)})`;
  stall(draft, stage, 'AwaitingCapacity', trouble ? `${message}: ${trouble}` : message, 0);
  return false;
}
