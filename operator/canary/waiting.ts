import { durationMs } from '../../api/duration.ts';
import type { Draft, WaitReason } from './draft.ts';
import { fail } from './failure.ts';
import { isHeld } from './holds.ts';
import type { Release } from './release.ts';

const POLL_MS = 5000;

/** Counts a check that failed, and gives the revision up at the threshold. @returns whether it did */
export function countFailure(draft: Draft, revision: string, threshold: number, message: string): boolean {
  const { state } = draft;
  state.failedChecks = (state.failedChecks ?? 0) + 1;
  state.verdict = 'Failed';
  if (state.hold) state.hold = { ...state.hold, unproven: true };
  draft.clear('stepStartTime');
  draft.progress();
  const whole = `${message} (check ${state.failedChecks} of ${threshold} failed)`;
  if (state.failedChecks >= threshold) {
    fail(draft, revision, 'ThresholdReached', whole);
    return true;
  }
  draft.event('Warning', 'CheckFailed', whole);
  draft.requeue(10);
  return false;
}

/** Has the analysis go on after a check that failed, unless it was one too many. */
export function failCheck(draft: Draft, revision: string, threshold: number, message: string): void {
  if (countFailure(draft, revision, threshold, message)) return;
  draft.enter('Progressing', `check ${draft.state.failedChecks} of ${threshold} failed: ${message}`);
}

/** Waits for something that is no verdict, but not beyond the deadline. */
export function stall(draft: Draft, stage: Release, reason: WaitReason, message: string, grace: number): void {
  if (giveUpIfOverdue(draft, stage, message, grace)) return;
  // While it is held, that is what is said.
  if (!isHeld(draft)) draft.wait(reason, message);
  draft.requeue(pollMs(stage));
}

function pollMs({ spec }: Release): number {
  return Math.min(POLL_MS, Math.max(durationMs(spec.analysis.interval), 1000));
}

/** Whether nothing has moved for longer than the Canary says. @param graceMs how much longer than told */
export function isOverdue(draft: Draft, { spec }: Release, graceMs: number): boolean {
  return draft.stalledMs() > spec.progressDeadlineSeconds * 1000 + graceMs;
}

/** Gives the revision up when nothing has moved for too long. @returns whether it did */
export function giveUpIfOverdue(draft: Draft, stage: Release, message: string, grace: number): boolean {
  const { spec, next } = stage;
  if (isHeld(draft)) return false;
  if (!isOverdue(draft, stage, grace)) {
    draft.requeue(spec.progressDeadlineSeconds * 1000 + grace - draft.stalledMs() + 1);
    return false;
  }
  const whole = `no progress in ${spec.progressDeadlineSeconds} s: ${message}`;
  fail(draft, next.revision, 'ProgressDeadlineExceeded', whole);
  return true;
}

/**
 * Waits for requests, as long as the Canary says; then does what it says.
 * @param graceMs how much longer than told
 * @returns true when the check is to pass without requests (noTrafficPolicy Promote)
 */
export function awaitTraffic(
  draft: Draft,
  stage: Release,
  reason: 'InsufficientTraffic' | 'NoMeshClients',
  message: string,
  graceMs: number,
): boolean {
  if (isHeld(draft)) {
    // While it is held, that is what is said, and no deadline counts.
    draft.requeue(pollMs(stage));
    return false;
  }
  const { noTrafficPolicy, noTrafficDeadline } = stage.spec.analysis;
  const seconds = stage.spec.progressDeadlineSeconds;
  const deadline = (noTrafficDeadline === undefined ? seconds * 1000 : durationMs(noTrafficDeadline)) + graceMs;
  const left = deadline - draft.stalledMs();
  if (noTrafficPolicy === 'Wait' || left >= 0) {
    draft.wait(reason, message);
    draft.requeue(pollMs(stage));
    if (noTrafficPolicy !== 'Wait') draft.requeue(left + 1);
    return false;
  }
  const whole = `too few requests in ${Math.round((deadline - graceMs) / 1000)} s: ${message}`;
  if (noTrafficPolicy === 'Fail') {
    fail(draft, stage.next.revision, noTrafficDeadline === undefined ? 'ProgressDeadlineExceeded' : 'NoTraffic', whole);
    return false;
  }
  draft.event('Warning', 'PassedWithoutTraffic', `${whole}; noTrafficPolicy is Promote`);
  return true;
}
