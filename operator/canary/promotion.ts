import { checkCrashes } from './capacity.ts';
import type { Draft } from './draft.ts';
import { paceMs, promotionWeight } from './promotion-weight.ts';
import type { Release } from './release.ts';
import { forgetRelease } from './release-fields.ts';
import { isInRollbackWindow } from './rollback-window.ts';
import { sideOf } from './side.ts';
import { setStable, setUngated } from './stable-revision.ts';
import { countFailure } from './waiting.ts';
import { weightForPods } from './weights.ts';

/** How long a promotion waits for the new revision to grow to full size before the gates open all the same. */
const GROWTH_PATIENCE_MS = 30_000;
const POLL_MS = 250;

/** Lists the revision as released: from here on its pods get no gate, and the gates there are open. */
export function release(draft: Draft, revision: string): void {
  setUngated(draft.state, revision);
  draft.progress();
  draft.clear('stepStartTime');
  draft.enter('Promoting', `the gates of revision ${revision} open`);
}

/**
 * Puts the new revision in the place of the stable one. Where room can be made it first grows to full size and takes
 * all requests, so that the old pods go when nobody calls them any more; then the gates open.
 */
export function advancePromotion(draft: Draft, stage: Release): void {
  const { next } = stage;
  if (!draft.state.ungatedRevisions?.includes(next.revision)) {
    grow(draft, stage);
    return;
  }
  if (stage.target.rolledOut) {
    succeed(draft, next.revision);
    return;
  }
  followPods(draft, stage);
  setUngated(draft.state, next.revision);
  const stalled = draft.stalledMs() > stage.spec.progressDeadlineSeconds * 1000 ? ', slower than allowed' : '';
  draft.enter('Promoting', `revision ${next.revision} replaces ${draft.state.stableRevision}${stalled}`);
  draft.requeue(5000);
}

function grow(draft: Draft, stage: Release): void {
  const { observation, spec, target, next } = stage;
  const { state } = draft;
  const { eligible } = next.pods;
  if (checkCrashes(draft, stage, countFailure)) return;
  state.weight = promotionWeight(draft, stage);
  draft.clear('mirrorWeight');
  if (eligible > (state.canaryPods ?? 0)) {
    state.canaryPods = eligible;
    draft.progress();
  }
  const baking = state.rollbackWindow !== undefined;
  const growing = draft.stalledMs() < GROWTH_PATIENCE_MS + paceMs(stage);
  const patient = !baking && target.mayTake.maxSurge && growing;
  const routed = spec.analysis.traffic === 'None' || inForce(observation.coverage(next.revision, sideOf(state)));
  if (patient && !(state.weight === 100 && routed)) {
    draft.enter('Promoting', `revision ${next.revision} grows to full size before it replaces the stable one`);
    draft.requeue(POLL_MS);
    return;
  }
  if (isInRollbackWindow(draft, stage)) return;
  draft.event('Normal', 'GatesOpen', `revision ${next.revision} is released`);
  release(draft, next.revision);
  draft.requeue(5000);
}

function inForce({ callers, acknowledged }: { callers: number; acknowledged: number }): boolean {
  return acknowledged >= callers;
}

/** While Kubernetes exchanges the pods the weight goes with them, in coarse steps where there are many. */
function followPods({ state }: Draft, { target, next }: Release): void {
  const stable = target.revisions.get(state.stableRevision ?? '');
  if (!stable || stable.pods.eligible === 0) {
    state.weight = 100;
    return;
  }
  const share = weightForPods(next.pods.eligible, target.replicas);
  state.weight = target.replicas > 20 ? share - (share % 5) : share;
}

function succeed(draft: Draft, revision: string): void {
  const { state } = draft;
  setStable(state, revision);
  forgetRelease(draft);
  state.postRollout = { revision, phase: 'Succeeded' };
  draft.event('Normal', 'Succeeded', `revision ${revision} is the stable one now`);
  draft.enter('Succeeded', `revision ${revision} serves`);
}
