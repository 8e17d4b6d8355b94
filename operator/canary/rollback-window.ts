import { durationMs } from '../../api/duration.ts';
import type { Draft } from './draft.ts';
import { fail } from './promotion.ts';
import type { Release } from './release.ts';
import { figuresOf, judgeWindow, type Verdict } from './verdict.ts';

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

/** Judges the revision each interval, as in the analysis. */
function check(draft: Draft, { observation, spec, next }: Release): Verdict['kind'] | 'Begun' | 'GivenUp' {
  const { state } = draft;
  const interval = durationMs(spec.analysis.interval);
  state.stepStartTime ??= draft.now;
  const since = Date.parse(state.stepStartTime);
  const elapsed = observation.now - since;
  draft.requeue(Math.max(interval - elapsed, 1000));
  if (elapsed < interval) return 'Begun';
  const answer = observation.traffic(next.revision, since);
  const { kind, ...said } = judgeWindow(spec.analysis, answer, elapsed);
  state.metrics = figuresOf(answer);
  const message = 'message' in said ? said.message : '';
  if (kind === 'IncompleteMetrics') {
    if (elapsed >= interval + INCOMPLETE_PATIENCE_MS) state.stepStartTime = draft.now;
    if (draft.stalledMs() <= spec.progressDeadlineSeconds * 1000 || state.paused !== undefined) return kind;
    fail(
      draft,
      next.revision,
      'ProgressDeadlineExceeded',
      `no check for ${spec.progressDeadlineSeconds} s: ${message}`,
    );
    return 'GivenUp';
  }
  if (kind === 'InsufficientTraffic') return kind;
  // The next window begins where this one ends.
  state.stepStartTime = draft.now;
  draft.progress();
  state.verdict = kind;
  if (kind === 'Passed') return kind;
  state.failedChecks = (state.failedChecks ?? 0) + 1;
  const count = `${message} (check ${state.failedChecks} of ${spec.analysis.threshold} failed, after the promotion)`;
  if (state.failedChecks < spec.analysis.threshold) {
    draft.event('Warning', 'CheckFailed', count);
    return kind;
  }
  fail(draft, next.revision, 'ThresholdReached', count);
  return 'GivenUp';
}
