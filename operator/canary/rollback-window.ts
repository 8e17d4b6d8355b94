import type { CanaryAnalysis } from '../../api/canary-analysis.ts';
import type { RoundVerdict } from '../../api/canary-round.ts';
import { durationMs } from '../../api/duration.ts';
import type { Draft } from './draft.ts';
import { fail } from './failure.ts';
import { figuresOf } from './figures.ts';
import type { Step } from './plan.ts';
import type { Release } from './release.ts';
import { closeWindow, countWindow, recordRound, takeRound } from './round.ts';

/** What a look at the window came to. */
type Outcome = RoundVerdict | 'Begun' | 'GivenUp';

/** Counts that an operator had who was restarted do not come; their window is begun anew. */
const INCOMPLETE_PATIENCE_MS = 15_000;

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
function check(draft: Draft, { observation, spec, next }: Release): Outcome {
  const { state } = draft;
  const step = stepOf(spec.analysis);
  const begun = state.stepStartTime ?? draft.now;
  state.stepStartTime = begun;
  countWindow(state, begun);
  const elapsed = observation.now - Date.parse(begun);
  draft.requeue(Math.max(step.intervalMs - elapsed, 1000));
  const round = takeRound(state, spec.analysis, step, observation, next.revision, Date.parse(begun));
  const { verdict, message = '', final = false } = round.judgement;
  if (elapsed < step.intervalMs && !final) return 'Begun';
  recordRound(state, round, next.revision, draft.now);
  state.metrics = figuresOf(round.next);
  if (verdict === 'InsufficientTraffic') return verdict;
  if (verdict !== 'Passed' && verdict !== 'Failed') return hold(draft, { spec, next }, elapsed, verdict, message);
  // The next window begins where this one ends.
  closeWindow(state, round);
  state.stepStartTime = draft.now;
  draft.progress();
  state.verdict = verdict;
  if (verdict === 'Passed') return verdict;
  state.failedChecks = (state.failedChecks ?? 0) + 1;
  const count = `${message} (check ${state.failedChecks} of ${spec.analysis.threshold} failed, after the promotion)`;
  if (state.failedChecks < spec.analysis.threshold && !final) {
    draft.event('Warning', 'CheckFailed', count);
    return verdict;
  }
  fail(draft, next.revision, final ? 'NoRequestSucceeds' : 'ThresholdReached', count);
  return 'GivenUp';
}

/** A window that tells neither way goes on, but not without end. */
function hold(
  draft: Draft,
  { spec, next }: Pick<Release, 'spec' | 'next'>,
  elapsedMs: number,
  verdict: RoundVerdict,
  message: string,
): Outcome {
  const { state } = draft;
  const late = elapsedMs >= durationMs(spec.analysis.interval) + INCOMPLETE_PATIENCE_MS;
  if (verdict === 'IncompleteMetrics' && late) state.stepStartTime = draft.now;
  const seconds = spec.progressDeadlineSeconds;
  if (draft.stalledMs() <= seconds * 1000 || state.paused !== undefined) return verdict;
  fail(draft, next.revision, 'ProgressDeadlineExceeded', `no check for ${seconds} s: ${message}`);
  return 'GivenUp';
}
