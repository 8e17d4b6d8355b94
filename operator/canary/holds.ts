import type { CanaryStatus } from '../../api/canary-status.ts';
import type { HookType } from '../../api/canary-webhook.ts';
import { durationMs } from '../../api/duration.ts';
import type { Draft, WaitReason } from './draft.ts';
import { askHooks, names } from './hooks.ts';
import type { Release } from './release.ts';

type Hold = NonNullable<CanaryStatus['hold']>;

/** What a release may have to wait for although nothing speaks against it. */
export type HoldPoint = Hold['point'];

/** Why it waits. */
interface Reason {
  readonly reason: WaitReason;
  readonly message: string;
  /** When it may be over by itself, in ms. */
  readonly afterMs?: number;
  /** No alert is sent of it. */
  readonly muted?: boolean;
}

const CONFIRMATIONS: Readonly<Record<HoldPoint, readonly HookType[]>> = {
  Start: ['confirm-rollout', 'confirm-traffic-increase'],
  Advance: ['confirm-traffic-increase'],
  Promotion: ['confirm-promotion'],
};

/**
 * Whether the release must wait at a point. The wait is remembered in the status, and is over when neither a person, nor a pause,
 * nor a hook, nor another Canary is waited for any more.
 */
export function isHeldAt(draft: Draft, stage: Release, point: HoldPoint): boolean {
  const { state } = draft;
  if (state.hold?.point !== point) state.hold = { point, since: draft.now };
  const why = whyHeld(draft, stage, state.hold);
  if (why) {
    show(draft, why);
    return true;
  }
  if (state.hold.since !== draft.now) draft.progress();
  draft.clear('hold');
  return false;
}

/** Whether the present wait is over, and checks have not failed meanwhile without passing again. */
export function isHoldOver(draft: Draft, stage: Release): boolean {
  const { hold } = draft.state;
  return hold !== undefined && hold.unproven !== true && whyHeld(draft, stage, hold) === undefined;
}

/** Shows what is waited for, after the checks that go on meanwhile have been looked at. */
export function showHold(draft: Draft, stage: Release): void {
  const { hold, paused, phase } = draft.state;
  if (phase !== 'Progressing' && phase !== 'Waiting') return;
  const why = hold ? whyHeld(draft, stage, hold) : paused === undefined ? undefined : PAUSED;
  if (why) show(draft, why);
}

/** A person, or what a person has asked for, is waited for: no deadline counts then. */
export function isHeld({ state }: Draft): boolean {
  return state.hold !== undefined || state.paused !== undefined;
}

const PAUSED: Reason = { reason: 'Paused', message: 'held by the command pause; the command resume goes on' };

function show(draft: Draft, { reason, message, afterMs, muted }: Reason): void {
  draft.wait(reason, message, muted);
  if (afterMs !== undefined) draft.requeue(afterMs);
}

function whyHeld(draft: Draft, stage: Release, hold: Hold): Reason | undefined {
  if (hold.point === 'Start') {
    const dependency = awaitedDependency(stage);
    if (dependency) return dependency;
  }
  if (draft.state.paused !== undefined) return PAUSED;
  return awaitedPause(draft, stage, hold) ?? awaitedConfirmation(draft, stage, hold);
}

function awaitedDependency({ observation }: Release): Reason | undefined {
  const missing = observation.dependencies().filter(({ problem }) => problem !== undefined);
  const [first] = missing;
  if (!first) return undefined;
  const cycle = missing.find(({ isCycle }) => isCycle);
  const message = `spec.dependsOn: ${(cycle ? [cycle] : missing).map(({ problem }) => problem).join('; ')}`;
  return { reason: cycle ? 'DependencyCycle' : 'AwaitingDependencies', message, afterMs: 5000 };
}

/**
 * The pause that the analysis has where a release is held. Where weights are cut to what pods there can be, steps fall together and there are
 * fewer: pauses beyond the last are one after it.
 */
export function pauseAt({ state }: Draft, { spec }: Release, { point }: Hold) {
  const done = point === 'Start' ? 0 : (state.step ?? 0) + 1;
  const pauses = spec.analysis.pauses ?? [];
  return pauses.find(({ afterStep }) => afterStep === done || (point === 'Promotion' && afterStep > done));
}

function awaitedPause(draft: Draft, stage: Release, hold: Hold): Reason | undefined {
  const { state } = draft;
  const { observation } = stage;
  const done = hold.point === 'Start' ? 0 : (state.step ?? 0) + 1;
  const pause = pauseAt(draft, stage, hold);
  if (!pause || hold.resumed || hold.commanded) return undefined;
  const where =
    done === 0 ? 'before the first step' : `after step ${done}, with ${state.weight ?? 0} % of the requests`;
  if (pause.duration === undefined) {
    return { reason: 'Paused', message: `spec.analysis.pauses holds it ${where}; the command resume goes on` };
  }
  const leftMs = Date.parse(hold.since) + durationMs(pause.duration) - observation.now;
  if (leftMs <= 0) return undefined;
  return { reason: 'Paused', message: `spec.analysis.pauses holds it ${where} for ${pause.duration}`, afterMs: leftMs };
}

function awaitedConfirmation(draft: Draft, stage: Release, { point, since }: Hold): Reason | undefined {
  const round = `${stage.next.revision}/${point}/${since}`;
  const answers = CONFIRMATIONS[point].map((type) =>
    askHooks(draft, stage, type, { round: `${round}/${type}`, repeat: 'until-passed' }),
  );
  const refused = answers.flatMap((each) => each.refused);
  const pending = answers.flatMap((each) => each.pending);
  if (refused.length + pending.length === 0) return undefined;
  const waiting = [...refused.map(({ hook }) => hook), ...pending];
  const said = refused.map(({ hook, message }) => `${hook.name} says no (${message})`);
  const message = said.length > 0 ? said.join('; ') : `${names(pending)} has not answered yet`;
  return {
    reason: 'AwaitingConfirmation',
    message: `${waiting[0]?.type} hook ${message}`,
    afterMs: durationMs(stage.spec.analysis.interval),
    muted: waiting.every(({ muteAlert }) => muteAlert === true),
  };
}
