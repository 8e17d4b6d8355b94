import type { PastRelease } from '../../api/canary-history.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { Draft } from './draft.ts';

/** Releases that the status keeps, the one under way included. */
const KEPT = 10;
/** Longest message that is kept, in characters: an object must stay small. */
const MESSAGE_LENGTH = 300;

/** Writes down that a release began or ended in this step, as its status before and after tell. */
export function keepHistory(draft: Draft, previous: CanaryStatus): void {
  const { state } = draft;
  const [newest, ...older] = state.history ?? [];
  const isOpen = newest !== undefined && newest.endTime === undefined;
  const underWay = state.phase === 'Failed' ? undefined : state.canaryRevision;
  let history = state.history ?? [];
  if (isOpen && newest.revision !== underWay) history = [ended(draft, previous, newest), ...older];
  if (underWay !== undefined && !(isOpen && newest.revision === underWay)) {
    const { stableRevision } = state;
    const begun = {
      revision: underWay,
      ...(stableRevision === undefined ? {} : { stableRevision }),
      startTime: draft.now,
    };
    history = [begun, ...history];
  }
  if (history.length > 0) state.history = history.slice(0, KEPT);
}

function ended(draft: Draft, previous: CanaryStatus, release: PastRelease): PastRelease {
  const [outcome, message] = outcomeOf(draft, previous, release.revision);
  return { ...release, endTime: draft.now, outcome, message: message.slice(0, MESSAGE_LENGTH) };
}

function outcomeOf(
  draft: Draft,
  previous: CanaryStatus,
  revision: string,
): [NonNullable<PastRelease['outcome']>, string] {
  const { state } = draft;
  if (state.phase === 'Failed' && state.failedRevision === revision) return ['GivenUp', draft.saying('Failed')];
  if (state.stableRevision === revision) {
    // Steps are of an analysis, and one that was passed goes by way of Promoting; of no pods a release ends as it begins.
    const isUntried = previous.step === undefined || previous.phase !== 'Promoting';
    return isUntried
      ? ['ReleasedUntried', 'it was released without an analysis']
      : ['Promoted', draft.saying('Progressing')];
  }
  if (state.canaryRevision !== undefined) return ['Superseded', `revision ${state.canaryRevision} took its place`];
  if (state.stableRevision !== undefined) return ['Reverted', `the template is that of ${state.stableRevision} again`];
  return ['Dropped', draft.saying('TargetReady') || draft.saying('Progressing')];
}
