import type { CanarySpec } from '../../api/canary.ts';
import { advanceAnalysis, goOn } from './analysis.ts';
import { obey } from './commands.ts';
import type { Draft } from './draft.ts';
import { isHeldAt, isHoldOver, showHold } from './holds.ts';
import { isRolledBack } from './hooks.ts';
import type { Observation, RevisionView, TargetView } from './observation.ts';
import { planOf } from './plan.ts';
import { advancePromotion, release } from './promotion.ts';
import { forgetRelease } from './release-fields.ts';
import { cutOff } from './side.ts';
import { adoptReleased, isPresent, setUngated } from './stable-revision.ts';
import { roomOf } from './targets/target-fitness.ts';

/** All that the stages of a release look at. */
export interface Release {
  readonly observation: Observation;
  readonly spec: CanarySpec;
  readonly target: TargetView;
  /** The new revision. */
  readonly next: RevisionView;
}

/** Takes a release of the revision `current` one step on. */
export function advanceRelease(
  draft: Draft,
  observation: Observation,
  spec: CanarySpec,
  target: TargetView,
  current: string,
): void {
  const next = target.revisions.get(current);
  if (!next) return;
  const { state } = draft;
  const stage: Release = { observation, spec, target, next };
  const isNew = state.canaryRevision !== current;
  if (isNew) begin(draft, target, next);
  if (obey(draft, stage)) return;
  const isRetried = state.canaryRevision !== current;
  if (isRetried) begin(draft, target, next);
  if (!isReleased(draft, current)) {
    const why = whyUntried(draft, stage) ?? (isNew || isRetried ? undefined : whyResumed(draft, target));
    if (!why && current === state.failedRevision) {
      stayFailed(draft, stage);
      return;
    }
    if (why) {
      tellUntried(draft, current, why);
      draft.clear('failedRevision');
      draft.clear('step');
      release(draft, current);
    }
  }
  if (isReleased(draft, current)) {
    draft.say('Ungated', 'False', 'Released', 'The revision is released, so its pods need no gates.');
    advancePromotion(draft, stage);
    return;
  }
  setUngated(state);
  if (holdUngated(draft, stage)) return;
  if (standStill(draft, stage)) return;
  // The time stood still meanwhile.
  if (state.verdict === 'Suspended' || state.verdict === 'TargetPaused') {
    draft.progress();
    draft.clear('stepStartTime', 'verdict');
  }
  if (isRolledBack(draft, stage)) return;
  if (state.phase === 'Promoting') {
    advancePromotion(draft, stage);
    return;
  }
  analyse(draft, stage);
}

/** The analysis, and what it has to wait for before its first request, between steps, and at its end. */
function analyse(draft: Draft, stage: Release): void {
  const { state } = draft;
  if (!state.opened) {
    if (isHeldAt(draft, stage, 'Start')) return;
    state.opened = true;
  }
  if (state.hold && isHoldOver(draft, stage)) {
    const { point } = state.hold;
    draft.clear('hold');
    draft.progress();
    goOn(draft, stage, point === 'Promotion');
    return;
  }
  advanceAnalysis(draft, stage);
  showHold(draft, stage);
}

/** Stands still at the user's wish; what was beyond the steps of the analysis goes back to the last of them. */
function standStill(draft: Draft, { spec, target }: Release): boolean {
  if (!spec.suspend && target.pausedBy !== 'user') return false;
  const highest = Math.max(...planOf(spec.analysis, roomOf(target)).map(({ weight }) => weight));
  draft.state.weight = Math.min(draft.state.weight ?? 0, highest);
  draft.clear('rollbackWindow');
  if (spec.suspend) draft.wait('Suspended', 'spec.suspend is set; everything stays as it is');
  else draft.wait('TargetPaused', `the ${target.kind} is paused; ${target.resumedBy} goes on`);
  return true;
}

function isReleased({ state }: Draft, current: string): boolean {
  return state.ungatedRevisions?.includes(current) ?? false;
}

function begin(draft: Draft, target: TargetView, next: RevisionView): void {
  const { state } = draft;
  const current = next.revision;
  const superseded = state.canaryRevision;
  if (superseded !== undefined && isReleased(draft, superseded)) adoptReleased(state, target, superseded);
  if (superseded !== undefined && superseded !== state.failedRevision) {
    draft.event('Normal', 'Superseded', `revision ${superseded} gives way to ${current}`);
  }
  forgetRelease(draft);
  draft.clear('metrics', 'stableMetrics', 'verdict', 'rounds');
  Object.assign(state, { canaryRevision: current, step: 0, failedChecks: 0, restarts: next.pods.restarts });
  draft.progress();
  draft.event('Normal', 'NewRevision', `revision ${current} is to replace ${state.stableRevision}`);
  draft.say('Ungated', 'False', 'Gated', 'The new revision came with gates.');
  draft.enter('Progressing', `revision ${current} was found`);
}

function tellUntried(draft: Draft, revision: string, why: string): void {
  if (draft.state.failedRevision !== revision) {
    draft.event('Normal', 'ReleasedUntried', `revision ${revision} is released without an analysis: ${why}`);
    return;
  }
  const message = `revision ${revision}, which was given up, is released all the same: ${why}`;
  draft.event('Warning', 'ReleasedFailed', message);
}

/** Why a revision is released without an analysis, if it is. */
function whyUntried(draft: Draft, { spec, target, next }: Release): string | undefined {
  const { state } = draft;
  // Who sets it means revisions to come; one that was given up can be retried.
  if (spec.skipAnalysis && next.revision !== state.failedRevision) return 'spec.skipAnalysis is set';
  const stable = target.revisions.get(state.stableRevision ?? '');
  if (stable?.restartFingerprint === next.restartFingerprint) return 'it is a restart of the stable revision';
  if (state.recentRevisions?.includes(next.revision)) return 'it was stable lately';
  // Nobody is to be served, so what was given up can wait for another template.
  if (target.replicas === 0) return next.revision === state.failedRevision ? undefined : 'the target is scaled to 0';
  // To hold the new one back then would be an outage.
  if (!stable) return 'the stable revision is gone';
  // One that gives its only pods for the trial does so with open eyes.
  const given = target.takesOut >= target.replicas && spec.takeOnlyPod;
  if (!isPresent(stable) && !given) return 'no pod of the stable revision is left';
  return undefined;
}

/** The rollout was paused because of pods without gates, of this same revision, and somebody resumed it. To apply a manifest once more is to resume nothing. */
function whyResumed(draft: Draft, { pausedBy, pauseIsApplied }: TargetView): string | undefined {
  const { reason, status } = draft.before('Ungated') ?? {};
  if (pauseIsApplied) return undefined;
  if (reason !== 'Paused' || status !== 'True' || pausedBy !== undefined) return undefined;
  return 'it had come without gates, and the paused rollout was resumed by hand';
}

/** Pods that came without gates while the webhook was away would be released by Kubernetes: the rollout is paused. */
function holdUngated(draft: Draft, { target, next }: Release): boolean {
  const { ungated, injected, total } = next.pods;
  if (ungated === 0) {
    draft.say('Ungated', 'False', 'Gated', 'The new revision came with gates.');
    return false;
  }
  const why = injected < total ? 'some have no sidecar either' : 'the webhook was away';
  const isGivenUp = next.revision === draft.state.failedRevision;
  const release = target.pauseIsApplied
    ? `a manifest says that it runs, which undoes that each time it is applied; ${isGivenUp ? 'a retry with ' : ''}spec.skipAnalysis`
    : target.resumedBy;
  const message = `${ungated} of ${total} pods of revision ${next.revision} came without the readiness gate (${why}), so the rollout is paused; ${release} releases it untried, deleting those pods brings them back with gates`;
  cutOff(draft.state);
  draft.clear('stepStartTime');
  if (draft.state.phase !== 'Failed') draft.wait('Ungated', message);
  if (draft.before('Ungated')?.status !== 'True') draft.event('Warning', 'Ungated', message);
  draft.say('Ungated', 'True', target.pausedBy === 'us' ? 'Paused' : 'Pausing', message);
  return true;
}

/** A revision that failed is not tried again, and gets nothing, until the template changes. */
function stayFailed(draft: Draft, stage: Release): void {
  cutOff(draft.state);
  setUngated(draft.state);
  draft.enter('Failed', draft.before('Progressing')?.message ?? `revision ${stage.next.revision} was given up`);
  holdUngated(draft, stage);
}
