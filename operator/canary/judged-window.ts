import { isUsageMetric } from '../../api/canary-metric.ts';
import type { Draft } from './draft.ts';
import { figuresOf } from './figures.ts';
import type { Step } from './plan.ts';
import type { Release } from './release.ts';
import { closeWindow, countWindow, type Round, recordRound, takeRound } from './round.ts';

/** Within a window only what ends the release at once is looked for, and what pods use is gathered. */
export const LOOK_MS = 2000;
/** Reports that are late may still come; what an operator counted before it was restarted does not. */
const INCOMPLETE_PATIENCE_MS = 15_000;

/** Judges the open window by what it shows until now; opens one when there is none. */
export function judgeWindow({ state, now }: Draft, { observation, spec, next }: Release, step: Step): Round {
  state.stepStartTime ??= now;
  countWindow(state, state.stepStartTime);
  return takeRound(state, spec.analysis, step, observation, next.revision, Date.parse(state.stepStartTime));
}

/**
 * Writes down what a window that has lasted its interval came to, for people and as evidence. One that will never be whole is begun anew,
 * while the deadline goes on counting.
 */
export function settleWindow(draft: Draft, { next }: Release, step: Step, round: Round): void {
  const { state } = draft;
  const { verdict } = round.judgement;
  recordRound(state, round, next.revision, draft.now);
  state.metrics = figuresOf(round.next);
  state.stableMetrics = figuresOf(round.stable);
  sayMetrics(draft, round);
  if (verdict === 'Passed' || verdict === 'Failed') closeWindow(state, round);
  const isLate = round.inputs.elapsedMs >= step.intervalMs + INCOMPLETE_PATIENCE_MS;
  if (verdict === 'IncompleteMetrics' && isLate) state.stepStartTime = draft.now;
}

/** Whether those who are asked besides the mesh have answered. */
function sayMetrics(draft: Draft, { judgement, inputs }: Round): void {
  const asked = inputs.metrics.filter(({ name, template }) => template || isUsageMetric(name));
  const results = judgement.metrics.filter(({ name }) => asked.some((one) => one.name === name));
  if (results.length === 0 || results.some(({ verdict }) => verdict === 'Pending')) return;
  const failed = results.find(({ verdict }) => verdict === 'MetricUnavailable');
  const answer = inputs.answers?.find(({ metric }) => metric === failed?.name);
  const usage = inputs.usage?.find(({ metric }) => metric === failed?.name);
  const reason = answer?.reason ?? usage?.reason ?? (usage?.next.unlimited ? 'NoLimit' : 'NoValue');
  if (!failed) {
    draft.say('MetricsAvailable', 'True', 'Answered', 'Metrics that others are asked for have their values.');
    return;
  }
  const message = failed.message ?? failed.name;
  if (draft.before('MetricsAvailable')?.message !== message) draft.event('Warning', reason, message);
  draft.say('MetricsAvailable', 'False', reason, message);
}
