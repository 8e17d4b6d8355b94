import type { CanaryAnalysis } from '../../api/canary-analysis.ts';
import type { RoundVerdict } from '../../api/canary-round.ts';
import { durationMs } from '../../api/duration.ts';
import type { Draft } from './draft.ts';
import { fail } from './failure.ts';
import { judgeWindow, LOOK_MS, leftOf, openWindow, settleWindow } from './judged-window.ts';
import type { Step } from './plan.ts';
import type { Release } from './release.ts';
import { windowMs } from './round.ts';
import { countFailure, giveUpIfOverdue } from './waiting.ts';

/** What a look at the window came to. */
type Outcome = RoundVerdict | 'Begun' | 'GivenUp';

/**
 * The time in which the promoted revision has its requests while the old one is kept whole: its gates are still shut, so Kubernetes
 * lets no old pod go, and a revision that fails now gives all requests back at once.
 * @returns whether the gates stay shut
 */
export function isInRollbackWindow(draft: Draft, stage: Release): boolean {
  const { state } = draft;
  const { next, observation, spec } = stage;
  const { rollbackWindow: length } = spec.analysis;
  if (state.rollbackWindow?.ended) return false;
  if (length === undefined && state.paused === undefined) return false;
  if (!state.rollbackWindow) begin(draft, next.revision, length);
  const end = Date.parse(state.rollbackWindow?.since ?? draft.now) + (length === undefined ? 0 : durationMs(length));
  const outcome = check(draft, stage);
  if (outcome === 'GivenUp') return true;
  const leftMs = end - observation.now;
  // It ends with a check that does not speak against the revision; a window that is not whole yet has not been seen.
  const speaks = outcome === 'Passed' || outcome === 'InsufficientTraffic';
  if (leftMs <= 0 && state.paused === undefined && speaks) return false;
  const until = state.paused === undefined ? new Date(end).toISOString() : 'the command resume';
  draft.enter(
    'Promoting',
    `revision ${next.revision} has ${state.weight} % of the requests; the old one is kept whole until ${until}`,
  );
  return true;
}

function begin(draft: Draft, revision: string, length: string | undefined): void {
  draft.state.rollbackWindow = { since: draft.now };
  draft.clear('stepStartTime');
  draft.progress();
  const time = length === undefined ? 'until the command resume' : `for ${length}`;
  draft.event(
    'Normal',
    'RollbackWindow',
    `the old revision is kept whole ${time}, and takes all requests back if ${revision} fails`,
  );
}

/** The promoted revision has all requests: the last step, as it were. */
function stepOf({ interval }: CanaryAnalysis): Step {
  return { weight: 100, matched: false, mirror: 0, pods: 100, intervalMs: durationMs(interval), checks: 1 };
}

/** Judges the revision each interval, as in the analysis. */
function check(draft: Draft, stage: Release): Outcome {
  const { state } = draft;
  const { spec, next } = stage;
  const step = stepOf(spec.analysis);
  const round = judgeWindow(draft, stage, step);
  const left = leftOf(draft, step);
  draft.requeue(Math.min(Math.max(left, 1000), LOOK_MS));
  if (!round || (left > 0 && !round.judgement.final)) return 'Begun';
  const { verdict, message = '', final = false } = round.judgement;
  settleWindow(draft, stage, step, round);
  if (verdict === 'InsufficientTraffic') return verdict;
  if (verdict === 'Passed') {
    // The next window begins where this one ends.
    openWindow(draft);
    draft.progress();
    state.verdict = verdict;
    return verdict;
  }
  const said = `${message}, after the promotion`;
  if (final) {
    fail(draft, next.revision, 'NoRequestSucceeds', said);
    return 'GivenUp';
  }
  if (verdict === 'Failed')
    return countFailure(draft, next.revision, spec.analysis.threshold, said) ? 'GivenUp' : verdict;
  // A window that tells neither way goes on, but not without end.
  const grace = verdict === 'Pending' ? windowMs(spec.analysis, step.intervalMs) : step.intervalMs;
  return giveUpIfOverdue(draft, stage, said, grace) ? 'GivenUp' : verdict;
}
