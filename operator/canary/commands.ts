import { type Command, readCommand } from '../../api/canary-command.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { Draft } from './draft.ts';
import { fail } from './failure.ts';
import { pauseAt } from './holds.ts';
import type { Release } from './release.ts';

/** What a command comes to: why it makes no sense now, or what was done. */
type Outcome = { readonly refused: string } | { readonly done: string };

/** Whether the status says already what became of a command: then it is not carried out again. */
export function isHandled({ command }: CanaryStatus, value: string | undefined): boolean {
  return value !== undefined && command !== undefined && command.value === value && !command.removed;
}

/**
 * Carries out the command that the annotation gives, if the release can take it now. What becomes of it is in the status by the same
 * write, so it is carried out once whoever goes on.
 * @returns true when the release is at its end by it
 */
export function obey(draft: Draft, stage: Release): boolean {
  const value = draft.awaitedCommand;
  const given = value === undefined ? undefined : readCommand(value);
  if (value === undefined || given === undefined || typeof given === 'string') return false;
  const { revision } = stage.next;
  if (given.revision !== undefined && given.revision !== revision) {
    answer(draft, value, { refused: `it is for revision ${given.revision}, and ${revision} is under way` });
    return false;
  }
  const outcome = carryOut[given.command](draft, stage);
  answer(draft, value, outcome);
  return given.command === 'abort' && 'done' in outcome;
}

/** Refuses a command that nothing has carried out: with a word, never silently. Forgets one whose annotation is gone. */
export function settleCommand(draft: Draft, present: string | undefined): void {
  const { state } = draft;
  if (present === undefined) {
    if (state.command && !state.command.removed) state.command = { ...state.command, removed: true };
    return;
  }
  const value = draft.awaitedCommand;
  if (value === undefined) return;
  const given = readCommand(value);
  const where = `${state.phase ?? 'Initializing'}${state.canaryRevision ? '' : ', nothing is being released'}`;
  answer(draft, value, {
    refused:
      typeof given === 'string'
        ? given
        : `${given.command} makes no sense now (${where}): ${draft.saying('Progressing')}`,
  });
}

const carryOut: Readonly<Record<Command, (draft: Draft, stage: Release) => Outcome>> = {
  promote,
  abort,
  retry,
  pause,
  resume,
};

function promote(draft: Draft, { spec, target, next }: Release): Outcome {
  const { state } = draft;
  const standing = whyNotTried(draft);
  if (standing) return { refused: standing };
  if (spec.suspend) return { refused: 'spec.suspend is set; set it to false first' };
  if (target.pausedBy === 'user') return { refused: `the ${target.kind} is paused; ${target.resumedBy} goes on` };
  draft.clear('paused');
  draft.progress();
  if (state.phase === 'Promoting') {
    state.rollbackWindow = { since: state.rollbackWindow?.since ?? draft.now, ended: true };
    return { done: `revision ${next.revision} is released without waiting for the end of the rollback window` };
  }
  if (!state.opened)
    return { refused: 'nothing is under analysis yet: what comes before the first request is still waited for' };
  state.hold = { point: 'Promotion', since: draft.now, commanded: true };
  return { done: `revision ${next.revision} skips the rest of the analysis` };
}

function abort(draft: Draft, { next }: Release): Outcome {
  const standing = whyNotTried(draft);
  if (standing) return { refused: standing };
  fail(draft, next.revision, 'Aborted', 'the command abort was given');
  return { done: `revision ${next.revision} was given up` };
}

function retry(draft: Draft, { next }: Release): Outcome {
  const { state } = draft;
  if (state.failedRevision !== next.revision) return { refused: `revision ${next.revision} has not failed` };
  draft.clear('failedRevision', 'canaryRevision', 'verdict');
  return { done: `revision ${next.revision} is tried anew` };
}

function pause(draft: Draft, { next }: Release): Outcome {
  const { state } = draft;
  const standing = whyNotTried(draft);
  if (standing) return { refused: standing };
  if (state.paused !== undefined) return { refused: 'it is paused already' };
  state.paused = draft.now;
  return { done: `revision ${next.revision} stays at ${state.weight ?? 0} % of the requests` };
}

function resume(draft: Draft, stage: Release): Outcome {
  const { state } = draft;
  const standing = whyNotTried(draft);
  if (standing) return { refused: standing };
  const { hold, paused } = state;
  const isPausing = hold && !hold.resumed && pauseAt(draft, stage, hold) !== undefined;
  if (paused === undefined && !isPausing) return { refused: 'it is not paused' };
  draft.clear('paused');
  draft.progress();
  // A pause by command ends first; that of the step is a wait of its own.
  if (hold && isPausing && paused === undefined) state.hold = { ...hold, resumed: true };
  return { done: `revision ${stage.next.revision} goes on` };
}

/** Why there is nothing to decide about the revision; undefined: it is being tried. */
function whyNotTried({ state }: Draft): string | undefined {
  const { canaryRevision = '', failedRevision, ungatedRevisions } = state;
  if (failedRevision === canaryRevision)
    return `revision ${canaryRevision} has been given up already; retry tries it anew`;
  if (ungatedRevisions?.includes(canaryRevision)) {
    return `revision ${canaryRevision} is released already; revert the template to go back`;
  }
  return undefined;
}

function answer(draft: Draft, value: string, outcome: Outcome): void {
  const done = 'done' in outcome;
  const message = done ? outcome.done : outcome.refused;
  draft.state.command = { value, result: done ? 'Done' : 'Refused', message, time: draft.now, removed: false };
  draft.event(done ? 'Normal' : 'Warning', done ? 'CommandDone' : 'CommandRefused', `${value}: ${message}`);
}
