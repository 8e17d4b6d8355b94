import type { Draft } from './draft.ts';
import { cutOff } from './side.ts';

/** What belongs to how one release is controlled, and goes with it, or when it is given up. */
export const CONTROL_FIELDS = ['opened', 'addressed', 'tested', 'paused', 'hold', 'rollbackWindow'] as const;

/** What belongs to one release, and goes with it. */
const RELEASE_FIELDS = [
  'canaryRevision',
  'step',
  'iterations',
  'failedChecks',
  'failedRevision',
  'stepStartTime',
  'lastProgressTime',
  'restarts',
  'canaryPods',
  ...CONTROL_FIELDS,
  'evidence',
] as const;

/** Forgets a release that is over, or that another takes the place of. No request is sent its way any more. */
export function forgetRelease(draft: Draft): void {
  draft.clear(...RELEASE_FIELDS);
  cutOff(draft.state);
}
