import { isAcknowledged } from './acknowledgement.ts';
import { checkCrashes, hasCapacity } from './capacity.ts';
import type { Draft } from './draft.ts';
import { fail } from './failure.ts';
import { isHeld, isHeldAt } from './holds.ts';
import { askRollout, isTested, names, refusalOf } from './hooks.ts';
import { stepWithoutHttp } from './http-need.ts';
import { SILENCE_MS } from './judge/judge-round.ts';
import { judgeWindow, LOOK_MS, leftOf, openWindow, settleWindow } from './judged-window.ts';
import { isRouted, planOf, type Step } from './plan.ts';
import type { Release } from './release.ts';
import { closeWindow, type Round, windowMs } from './round.ts';
import { describeSide, setSide, sideOf } from './side.ts';
import { isAddressed } from './side-address.ts';
import { roomOf } from './targets/target-fitness.ts';
import { awaitTraffic, failCheck, giveUpIfOverdue, isOverdue, stall } from './waiting.ts';

const BY_CALLER =
  'stickiness goes by principal, and perhaps no caller is within this weight: a higher first weight takes more of them in';
const OVERDUE = 'that is no difference which chance could not explain, and the deadline is over';
const NO_CLIENTS = 'no sidecar calls a Service of the target, so no request can be tried';

/** One look at the present step: crashes, then capacity, then the weight, then the window. */
export function advanceAnalysis(draft: Draft, stage: Release): void {
  if (checkCrashes(draft, stage, failCheck)) return;
  const plan = planOf(stage.spec.analysis, roomOf(stage.target));
  const index = Math.min(draft.state.step ?? 0, plan.length - 1);
  const step = plan[index];
  if (step === undefined) return;
  draft.state.step = index;
  const without = stepWithoutHttp(step, stage.observation);
  if (without !== undefined) {
    stall(draft, stage, 'NoHttpPort', without, 0);
    return;
  }
  if (!hasCapacity(draft, stage, step)) return;
  if (!isAddressed(draft, stage)) return;
  const { next, spec } = stage;
  if (!isTested(draft, stage, (message) => failCheck(draft, next.revision, spec.analysis.threshold, message))) return;
  if (!isInForce(draft, stage, step, plan.length)) return;
  checkWindow(draft, stage, step, plan.length);
}

function isInForce(draft: Draft, stage: Release, step: Step, steps: number): boolean {
  const { state } = draft;
  const { next, spec } = stage;
  const before = sideOf(state);
  if (before.weight !== step.weight || before.matched !== step.matched || before.mirror !== step.mirror) {
    setSide(state, step);
    draft.clear('stepStartTime');
    draft.progress();
    draft.event('Normal', 'WeightSet', `revision ${next.revision} gets ${describeSide(step)}`);
  }
  // Other terms than those under which the window began.
  if (draft.isNewSpec) draft.clear('stepStartTime');
  if (state.stepStartTime !== undefined) return true;
  if (isRouted(step, spec.analysis) && !callersHave(draft, stage, step, steps)) return false;
  openWindow(draft);
  draft.progress();
  return true;
}

/** Whether the sidecars that call have what the step says. */
function callersHave(draft: Draft, stage: Release, step: Step, steps: number): boolean {
  const coverage = stage.observation.coverage(stage.next.revision, step);
  const { callers, acknowledged } = coverage;
  if (callers === 0) {
    if (awaitTraffic(draft, stage, 'NoMeshClients', NO_CLIENTS, 0)) pass(draft, stage, step, steps);
    return false;
  }
  if (isAcknowledged(draft, coverage)) return true;
  const side = describeSide(step);
  draft.enter('Progressing', `being put in force: ${side}`);
  giveUpIfOverdue(draft, stage, `in force on ${acknowledged} of ${callers} sidecars only: ${side}`, 0);
  return false;
}

function checkWindow(draft: Draft, stage: Release, step: Step, steps: number): void {
  const { spec, next } = stage;
  const progress = progressOf(draft, step, steps);
  const outside = askRollout(draft, stage);
  const round = judgeWindow(draft, stage, step);
  const left = leftOf(draft, step);
  if (!round || (left > 0 && !round.judgement.final)) {
    draft.enter('Progressing', progress);
    if (left > 0) draft.due(left);
    draft.requeue(Math.min(left, LOOK_MS));
    return;
  }
  const { verdict, message = '', final = false } = round.judgement;
  if (outside.refused.length > 0) {
    failCheck(draft, next.revision, spec.analysis.threshold, refusalOf(outside));
    return;
  }
  if (outside.pending.length > 0 && !final) {
    draft.enter('Progressing', `${progress}; rollout hooks are asked: ${names(outside.pending)}`);
    draft.requeue(1000);
    return;
  }
  settleWindow(draft, stage, step, round);
  if (verdict === 'Passed') {
    pass(draft, stage, step, steps);
    return;
  }
  if (verdict === 'Failed') {
    if (final) fail(draft, next.revision, 'NoRequestSucceeds', message);
    else failCheck(draft, next.revision, spec.analysis.threshold, message);
    return;
  }
  if (verdict === 'Pending') {
    draft.enter('Progressing', `${progress}: ${message}`);
    const whole = windowMs(spec.analysis, step.intervalMs);
    if (giveUpIfOverdue(draft, stage, message, whole)) return;
    draft.requeue(Math.min(Math.max(whole - round.inputs.elapsedMs, 500), LOOK_MS));
    return;
  }
  holdWindow(draft, stage, step, steps, round);
}

/** Neither for nor against the revision: the window stays open. */
function holdWindow(draft: Draft, stage: Release, step: Step, steps: number, round: Round): void {
  const { judgement, inputs, next, stable } = round;
  const { verdict, message = '' } = judgement;
  const interval = step.intervalMs;
  if (verdict === 'Passed' || verdict === 'Failed' || verdict === 'Pending') return;
  // A sidecar that has called a Service once reports it ever after.
  const reporters = next.callers.reporters + stable.callers.reporters;
  if (verdict === 'InsufficientTraffic') {
    const silent = reporters === 0 && inputs.elapsedMs >= SILENCE_MS;
    const scarce = stage.spec.analysis.stickiness?.principal ? `${message}; ${BY_CALLER}` : message;
    const [reason, said] = silent ? (['NoMeshClients', NO_CLIENTS] as const) : ([verdict, scarce] as const);
    if (awaitTraffic(draft, stage, reason, said, interval)) pass(draft, stage, step, steps);
    return;
  }
  if (judgement.isChance && !isHeld(draft) && isOverdue(draft, stage, interval)) {
    closeWindow(draft.state, round);
    draft.event('Normal', 'PassedInDoubt', `${message}; ${OVERDUE}`);
    pass(draft, stage, step, steps);
    return;
  }
  stall(draft, stage, verdict, message, interval);
}

function progressOf({ state }: Draft, step: Step, steps: number): string {
  const check = step.checks === 1 ? '' : `, check ${(state.iterations ?? 0) + 1} of ${step.checks}`;
  return `step ${(state.step ?? 0) + 1} of ${steps}${check}: ${describeSide(step)}`;
}

function pass(draft: Draft, stage: Release, step: Step, steps: number): void {
  const { state } = draft;
  const { requests, successRate, p99 } = state.metrics ?? {};
  const figures = successRate === undefined ? 'no request' : `${successRate} of ${requests} requests, p99 ${p99}`;
  state.verdict = 'Passed';
  draft.progress();
  if (state.hold) {
    // It goes on where it waits; release.ts looks whether that is over.
    draft.clear('stepStartTime', 'verdict');
    const { unproven: _, ...hold } = state.hold;
    state.hold = hold;
    draft.enter('Progressing', progressOf(draft, step, steps));
    draft.requeue(10);
    return;
  }
  draft.event('Normal', 'CheckPassed', `${progressOf(draft, step, steps)}: ${figures}`);
  const passed = (state.iterations ?? 0) + 1;
  if (passed < step.checks) {
    state.iterations = passed;
    // What is in force stays so; the next window begins where this one ended.
    openWindow(draft);
    draft.enter('Progressing', progressOf(draft, step, steps));
    draft.due(step.intervalMs);
    return;
  }
  draft.clear('stepStartTime', 'iterations');
  const last = (state.step ?? 0) + 1 >= steps;
  if (!isHeldAt(draft, stage, last ? 'Promotion' : 'Advance')) goOn(draft, stage, last);
}

/** Takes the next step, which is the promotion after the last one. */
export function goOn(draft: Draft, stage: Release, last: boolean): void {
  const { state } = draft;
  if (!last) {
    state.step = (state.step ?? 0) + 1;
    draft.enter('Progressing', `step ${state.step + 1} begins`);
    // The next step's capacity and weight are a matter of this same moment.
    advanceAnalysis(draft, stage);
    return;
  }
  draft.clear('mirrorWeight', 'rollbackWindow', 'stepStartTime');
  draft.event('Normal', 'Promoting', `revision ${stage.next.revision} has passed all steps`);
  draft.enter('Promoting', `revision ${stage.next.revision} has passed all steps`);
  draft.requeue(10);
}
