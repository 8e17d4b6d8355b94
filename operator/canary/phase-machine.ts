import type { CanarySpec } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { settleCommand } from './commands.ts';
import { Draft, type Transition } from './draft.ts';
import { keepHistory } from './history.ts';
import { askPostRollout } from './hooks.ts';
import { fieldsWithoutHttp } from './http-need.ts';
import type { Observation, TargetView } from './observation.ts';
import { advanceRelease } from './release.ts';
import { forgetRelease } from './release-fields.ts';
import { cutOff } from './side.ts';
import { isPresent, resolveStable, setUngated } from './stable-revision.ts';
import { describeSides, hooksWithoutSidecar } from './targets/side-services.ts';
import { costs, findUnfit } from './targets/target-acceptance.ts';
import { isPrepared, type Unfit } from './targets/target-fitness.ts';

/**
 * One step of the phase machine: pure, and all it knows is in the status, so that any replica can go on at any point.
 * @param previous status as last written; undefined or empty when there is none
 */
export function nextStatus(previous: CanaryStatus | undefined, observation: Observation): Transition {
  const draft = new Draft(previous ?? {}, observation);
  advance(draft, observation);
  settleCommand(draft, observation.command);
  askPostRollout(draft, observation);
  keepHistory(draft, previous ?? {});
  return draft.finish();
}

function advance(draft: Draft, observation: Observation): void {
  const { spec, rival, target } = observation;
  const { state } = draft;
  if (!spec) {
    refuse(draft, observation);
    return;
  }
  if (rival) {
    standAside(draft, observation, rival);
    return;
  }
  const unmet = [fieldsWithoutHttp(spec.analysis, observation), hooksWithoutSidecar(observation)];
  const missing = unmet.filter((sentence) => sentence !== undefined).join('; ') || undefined;
  draft.say('Accepted', 'True', missing ? 'AcceptedInPart' : 'Accepted', missing ?? 'The Canary is valid.');
  const named = nameTarget(spec);
  if (state.target !== undefined && state.target !== named) {
    forgetRelease(draft);
    draft.clear('stableRevision', 'recentRevisions', 'ungatedRevisions', 'phase');
  }
  state.target = named;
  const unfit = findUnfit(observation, isReleasing(state, target));
  if (unfit || !target) {
    letGo(draft, observation, unfit);
    return;
  }
  if (target.current === undefined) {
    settle(draft, target);
    return;
  }
  if (!resolveStable(draft, target, target.current)) {
    awaitRollout(draft, target);
    return;
  }
  if (!prepare(draft, target, observation)) return;
  if (target.current === state.stableRevision) {
    rest(draft, target.current);
    return;
  }
  advanceRelease(draft, observation, spec, target, target.current);
}

/** A Deployment by its name alone, others after their kind. */
function nameTarget({ targetRef: { kind, name } }: CanarySpec): string {
  return kind === 'Deployment' ? name : `${kind}/${name}`;
}

function isReleasing({ stableRevision }: CanaryStatus, target: TargetView | undefined): boolean {
  return stableRevision !== undefined && target?.current !== stableRevision;
}

/** An invalid Canary leaves things as they are: whatever was held stays held, whatever serves serves on. */
function refuse(draft: Draft, { problems, target }: Observation): void {
  const message = problems.join('; ');
  if (draft.before('Accepted')?.message !== message) draft.event('Warning', 'InvalidSpec', message);
  draft.say('Accepted', 'False', 'InvalidSpec', message);
  if (draft.state.phase === undefined) draft.enter('Initializing', 'spec is not valid');
  if (!draft.state.stableRevision) draft.state.ungatedRevisions = presentRevisions(target);
}

function standAside(draft: Draft, { targetTitle }: Observation, rival: string): void {
  const message = `Canary ${rival} has ${targetTitle} already; delete one of the two`;
  if (draft.before('Accepted')?.reason !== 'TargetConflict') draft.event('Warning', 'TargetConflict', message);
  draft.say('Accepted', 'False', 'TargetConflict', message);
  draft.say('TargetReady', 'False', 'TargetConflict', message);
  giveUp(draft, undefined);
  draft.enter('Initializing', message);
}

/** The target can't be held: its rollouts are Kubernetes' own affair, and no gate stays shut. */
function letGo(draft: Draft, { target }: Observation, unfit: Unfit | undefined): void {
  const { reason, message } = unfit ?? { reason: 'TargetMissing', message: 'the target is missing' };
  if (draft.before('TargetReady')?.reason !== reason) draft.event('Warning', reason, message);
  draft.say('TargetReady', 'False', reason, message);
  giveUp(draft, target);
  draft.enter('Initializing', message);
}

function giveUp(draft: Draft, target: TargetView | undefined): void {
  forgetRelease(draft);
  // Without a stable revision the mesh splits nothing, and an ordinary rollout gets its traffic as it goes.
  draft.clear('stableRevision', 'metrics', 'stableMetrics', 'verdict');
  draft.say('Ungated', 'False', 'Gated', 'No revision came without gates.');
  draft.state.ungatedRevisions = presentRevisions(target);
}

/** Revisions that have pods or are to have some, the current one at any rate. */
function presentRevisions(target: TargetView | undefined): string[] {
  const views = [...(target?.revisions.values() ?? [])];
  return views.filter((view) => isPresent(view) || view.revision === target?.current).map(({ revision }) => revision);
}

/** Kubernetes has not made the revision of the newest template yet. */
function settle(draft: Draft, { kind, pausedBy, resumedBy }: TargetView): void {
  if (draft.state.phase === undefined) draft.enter('Initializing', 'the first revision is being made');
  if (pausedBy === 'user') {
    draft.say('Progressing', 'False', 'TargetPaused', `the ${kind} is paused; ${resumedBy} goes on`);
    return;
  }
  draft.requeue(1000);
}

function awaitRollout(draft: Draft, target: TargetView): void {
  const message = 'a rollout is under way that began before this Canary; its end is waited for';
  giveUp(draft, target);
  // Pods that somebody holds back are of no use to the rollout that is waited for.
  draft.state.ungatedRevisions = draft.state.ungatedRevisions?.filter((revision) => {
    const pods = target.revisions.get(revision)?.pods;
    return revision === target.current || !pods || pods.held === 0 || pods.held < pods.total;
  });
  draft.say('TargetReady', 'False', 'RolloutInProgress', message);
  draft.enter('Initializing', message);
}

/** Gates are given to new pods once TargetReady is True, so not before Kubernetes would hold a rollout. */
function prepare(draft: Draft, target: TargetView, observation: Observation): boolean {
  if (isPrepared(target) || draft.before('TargetReady')?.status === 'True') {
    const said = costs(target, observation);
    const [first = 'rollouts of the target wait for the analysis', ...rest] = said;
    const message = [first, ...rest, ...describeSides(observation)].join('; ');
    draft.say('TargetReady', 'True', said.length > 0 ? 'PreparedInPart' : 'Prepared', message);
    return true;
  }
  const message = 'the rollout strategy of the target is being set';
  draft.say('TargetReady', 'False', 'Preparing', message);
  setUngated(draft.state);
  cutOff(draft.state);
  draft.enter('Initializing', message);
  return false;
}

/** Nothing is being released. */
function rest(draft: Draft, current: string): void {
  const { state } = draft;
  const { phase } = state;
  if (phase !== 'Initialized' && phase !== 'Succeeded') {
    const reverted = state.canaryRevision !== undefined;
    const message = reverted
      ? `the template is that of the stable revision ${current} again; revision ${state.canaryRevision} is dropped`
      : `revision ${current} is stable`;
    draft.event('Normal', reverted ? 'Reverted' : 'Initialized', message);
    draft.clear('verdict', 'metrics', 'stableMetrics');
  }
  forgetRelease(draft);
  setUngated(state);
  draft.say('Ungated', 'False', 'Gated', 'No revision came without gates.');
  draft.enter(phase === 'Succeeded' ? 'Succeeded' : 'Initialized', `revision ${current} serves`);
}
