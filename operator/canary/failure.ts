import type { Draft } from './draft.ts';
import { CONTROL_FIELDS } from './release-fields.ts';
import { cutOff } from './side.ts';
import { setUngated } from './stable-revision.ts';

/** Gives the revision up: no request goes to it from this moment. Its pods stay for a look. */
export function fail(draft: Draft, revision: string, reason: string, message: string): void {
  const { state } = draft;
  cutOff(state);
  state.failedRevision = revision;
  state.verdict = 'Failed';
  state.postRollout = { revision, phase: 'Failed' };
  draft.clear('stepStartTime', ...CONTROL_FIELDS);
  setUngated(state);
  const whole = `revision ${revision} was given up: ${message}`;
  draft.enter('Failed', whole);
  draft.say('Failed', 'True', reason, whole);
  draft.event('Warning', 'Failed', whole);
}
