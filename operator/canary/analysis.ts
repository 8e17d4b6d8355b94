import { durationMs } from '../../api/duration.ts';
import type { Draft, WaitReason } from './draft.ts';
import { isHeld, isHeldAt } from './holds.ts';
import { askRollout, isTested, names, refusalOf } from './hooks.ts';
import { stepWithoutHttp } from './http-need.ts';
import { carriedWeight, isRouted, planOf, type Step } from './plan.ts';
import { fail } from './promotion.ts';
import type { Release } from './release.ts';
import { describeSide, setSide, sideOf } from './side.ts';
import { judgeStep } from './step-window.ts';
import { roomOf } from './target-fitness.ts';
import { figuresOf, SILENCE_MS } from './verdict.ts';
import { podsForWeight } from './weights.ts';

/** A sidecar that never acknowledges must not hold up every release of the mesh. */
const ACKNOWLEDGE_PATIENCE_MS = 30_000;
const ACKNOWLEDGE_POLL_MS = 200;
const POLL_MS = 5000;
const NO_CLIENTS = 'no sidecar calls a Service of the target, so no request can be tried';
/** Reports that are late may still come; what an operator counted before it was restarted does not. */
const INCOMPLETE_PATIENCE_MS = 15_000;

/** One look at the present step: crashes, then capacity, then the weight, then the window. */
export function advanceAnalysis(draft: Draft, stage: Release): void {
  if (checkCrashes(draft, stage)) return;
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
  const { next, spec } = stage;
  if (!isTested(draft, stage, (message) => failCheck(draft, next.revision, spec.analysis.threshold, message))) return;
  if (!isInForce(draft, stage, step)) return;
  checkWindow(draft, stage, step, plan.length);
}

/** A container that ended under analysis is a failed check at once, whatever the requests say. */
function checkCrashes(draft: Draft, { spec, next }: Release): boolean {
  const { state } = draft;
  const { restarts, crashing } = next.pods;
  const before = state.restarts ?? 0;
  state.restarts = restarts;
  if (restarts > before) {
    failCheck(draft, next.revision, spec.analysis.threshold, `containers restarted ${restarts - before} times`);
    return true;
  }
  if (!crashing || draft.stalledMs() < durationMs(spec.analysis.interval)) return false;
  failCheck(draft, next.revision, spec.analysis.threshold, crashing);
  return true;
}

function hasCapacity(draft: Draft, stage: Release, step: Step): boolean {
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

function isInForce(draft: Draft, stage: Release, step: Step): boolean {
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
  if (isRouted(step, spec.analysis) && !isAcknowledged(draft, stage, step)) return false;
  state.stepStartTime = draft.now;
  draft.progress();
  return true;
}

/** Whether the sidecars that call have what the step says. */
function isAcknowledged(draft: Draft, stage: Release, step: Step): boolean {
  const { callers, acknowledged } = stage.observation.coverage(stage.next.revision, step);
  if (callers === 0) {
    stall(draft, stage, 'NoMeshClients', NO_CLIENTS, 0);
    return false;
  }
  const enough = acknowledged > 0 && draft.stalledMs() >= ACKNOWLEDGE_PATIENCE_MS;
  if (acknowledged >= callers || enough) return true;
  const side = describeSide(step);
  draft.enter('Progressing', `being put in force: ${side}`);
  draft.requeue(ACKNOWLEDGE_POLL_MS);
  giveUpIfOverdue(draft, stage, `in force on ${acknowledged} of ${callers} sidecars only: ${side}`, 0);
  return false;
}

function checkWindow(draft: Draft, stage: Release, step: Step, steps: number): void {
  const { state } = draft;
  const { observation, spec, next } = stage;
  const interval = step.intervalMs;
  const since = Date.parse(state.stepStartTime ?? draft.now);
  const elapsed = observation.now - since;
  const progress = progressOf(draft, step, steps);
  const outside = askRollout(draft, stage);
  if (elapsed < interval) {
    draft.enter('Progressing', progress);
    draft.requeue(interval - elapsed);
    return;
  }
  if (outside.refused.length > 0) {
    failCheck(draft, next.revision, spec.analysis.threshold, refusalOf(outside));
    return;
  }
  if (outside.pending.length > 0) {
    draft.enter('Progressing', `${progress}; rollout hooks are asked: ${names(outside.pending)}`);
    draft.requeue(1000);
    return;
  }
  const answer = observation.traffic(next.revision, since);
  const verdict = judgeStep(step, spec.analysis, answer, elapsed);
  state.metrics = figuresOf(answer);
  const stable = observation.traffic(state.stableRevision ?? '', since);
  state.stableMetrics = figuresOf(stable);
  if (verdict.kind === 'Passed') {
    pass(draft, stage, step, steps);
    return;
  }
  if (verdict.kind === 'Failed') {
    failCheck(draft, next.revision, spec.analysis.threshold, verdict.message);
    return;
  }
  // A sidecar that has called a Service once reports it ever after.
  const reporters = answer.callers.reporters + stable.callers.reporters;
  if (verdict.kind === 'InsufficientTraffic' && reporters === 0 && elapsed >= SILENCE_MS) {
    stall(draft, stage, 'NoMeshClients', NO_CLIENTS, interval);
    return;
  }
  // A window that will never be whole is begun anew, and the deadline goes on counting.
  if (verdict.kind === 'IncompleteMetrics' && elapsed >= interval + INCOMPLETE_PATIENCE_MS) {
    state.stepStartTime = draft.now;
  }
  stall(draft, stage, verdict.kind, verdict.message, interval);
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
    state.stepStartTime = draft.now;
    draft.enter('Progressing', progressOf(draft, step, steps));
    draft.requeue(step.intervalMs);
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

function failCheck(draft: Draft, revision: string, threshold: number, message: string): void {
  const { state } = draft;
  state.failedChecks = (state.failedChecks ?? 0) + 1;
  state.verdict = 'Failed';
  if (state.hold) state.hold.unproven = true;
  draft.clear('stepStartTime');
  draft.progress();
  const count = `check ${state.failedChecks} of ${threshold} failed`;
  if (state.failedChecks >= threshold) {
    fail(draft, revision, 'ThresholdReached', `${message} (${count})`);
    return;
  }
  draft.event('Warning', 'CheckFailed', `${message} (${count})`);
  draft.enter('Progressing', `${count}: ${message}`);
  draft.requeue(10);
}

/** Waits for something that is no verdict, but not beyond the deadline. */
function stall(draft: Draft, stage: Release, reason: WaitReason, message: string, grace: number): void {
  if (giveUpIfOverdue(draft, stage, message, grace)) return;
  // While it is held, that is what is said.
  if (!isHeld(draft)) draft.wait(reason, message);
  draft.requeue(Math.min(POLL_MS, Math.max(durationMs(stage.spec.analysis.interval), 1000)));
}

function giveUpIfOverdue(draft: Draft, { spec, next }: Release, message: string, grace: number): boolean {
  if (isHeld(draft)) return false;
  const deadline = spec.progressDeadlineSeconds * 1000;
  if (draft.stalledMs() <= deadline + grace) {
    draft.requeue(deadline + grace - draft.stalledMs() + 1);
    return false;
  }
  const whole = `no progress in ${spec.progressDeadlineSeconds} s: ${message}`;
  fail(draft, next.revision, 'ProgressDeadlineExceeded', whole);
  return true;
}
