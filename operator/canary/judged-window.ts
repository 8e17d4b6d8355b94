import { isUsageMetric } from '../../api/canary-metric.ts';
import type { Draft } from './draft.ts';
import { figuresOf } from './figures.ts';
import type { Step } from './plan.ts';
import type { Release } from './release.ts';
import { closeWindow, countWindow, metricsOf, type Round, recordRound, takeRound } from './round.ts';

/** Within a window only what ends the release at once is looked for, and what pods use is gathered. */
export const LOOK_MS = 2000;
/** Reports that are late may still come; what an operator counted before it was restarted does not. */
const INCOMPLETE_PATIENCE_MS = 15_000;

/** Opens a window now. In one change of the status with what ended the one before: each change is a write, and one for every check is the most that an API server should be asked for. */
export function openWindow({ state, now }: Draft): void {
  state.stepStartTime = now;
  countWindow(state, now);
}

/**
 * Judges the open window by what it shows until now; opens one when there is none.
 * @returns undefined while it has not lasted its interval and can end nothing yet, as is so of most looks: those have to be cheap
 */
export function judgeWindow(draft: Draft, stage: Release, step: Step): Round | undefined {
  const { state } = draft;
  const { observation, spec, next } = stage;
  state.stepStartTime ??= draft.now;
  countWindow(state, state.stepStartTime);
  const since = Date.parse(state.stepStartTime);
  if (observation.now - since < step.intervalMs && !mayTell(stage, since)) return undefined;
  return takeRound(state, spec.analysis, step, observation, next.revision, since);
}

/** Whether a look within a window may come to anything: no request has succeeded, by the counts of either side, or what pods use is to be gathered. */
function mayTell({ observation, spec, next }: Release, since: number): boolean {
  if (metricsOf(spec.analysis).some(({ name, templateRef }) => isUsageMetric(name) && !templateRef)) return true;
  const { callers, served } = observation.traffic(next.revision, since);
  return [callers, served].some(({ requests, failures }) => failures === requests);
}

/** How much longer the open window is to last, in ms. */
export function leftOf({ state, now }: Draft, { intervalMs }: Step): number {
  return Date.parse(state.stepStartTime ?? now) + intervalMs - Date.parse(now);
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
  if (verdict === 'IncompleteMetrics' && isLate) openWindow(draft);
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
