import type { CanaryAnalysis } from '../../api/canary-analysis.ts';
import { type CanaryMetric, isUsageMetric } from '../../api/canary-metric.ts';
import type { AnalysisRound, RecordedMetric, RevisionCounts, RoundInputs, SideCounts } from '../../api/canary-round.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { durationMs } from '../../api/duration.ts';
import type { RevisionTraffic, TrafficAnswer } from '../telemetry/traffic.ts';
import { type Judgement, judgeRound } from './judge/judge-round.ts';
import type { Observation } from './observation.ts';
import type { Step } from './plan.ts';
import { isSameOnWire } from './same-on-wire.ts';
import { seenInStep } from './step-window.ts';

/** Rounds that the status keeps: an object must stay small. */
const KEPT_ROUNDS = 5;

const DEFAULT_METRICS: readonly CanaryMetric[] = [{ name: 'request-success-rate', thresholdRange: { min: 99 } }];

/** One look at a window, and what it came to. */
export interface Round {
  readonly inputs: RoundInputs;
  readonly judgement: Judgement;
  readonly next: TrafficAnswer;
  readonly stable: TrafficAnswer;
}

/** Metrics of an analysis, the one that is taken where there are none included. */
export function metricsOf({ metrics }: Pick<CanaryAnalysis, 'metrics'>): readonly CanaryMetric[] {
  return metrics.length > 0 ? metrics : DEFAULT_METRICS;
}

/** How long a window is watched at least, in ms: the longest of the intervals. @param intervalMs of the step's checks */
export function windowMs(analysis: CanaryAnalysis, intervalMs: number): number {
  const intervals = metricsOf(analysis).map(({ interval }) => (interval === undefined ? 0 : durationMs(interval)));
  return Math.max(intervalMs, ...intervals);
}

/**
 * Judges the window that has begun at `since`.
 * @param since ms since the epoch
 * @param revision under analysis
 */
export function takeRound(
  state: CanaryStatus,
  analysis: CanaryAnalysis,
  step: Step,
  observation: Observation,
  revision: string,
  since: number,
): Round {
  const ofNext = observation.traffic(revision, since);
  const ofStable = observation.traffic(state.stableRevision ?? '', since);
  const { next, stable, isQuiet } = seenInStep(step, analysis, ofNext, ofStable);
  const metrics = metricsOf(analysis).map((metric) => recordedMetric(metric, step.intervalMs));
  const withDurations = metrics.some(({ name, template }) => name === 'request-duration' && !template);
  const { evidence } = state;
  const compares = metrics.some(
    ({ template, maxDecrease, maxIncrease }) => !template && (maxDecrease ?? maxIncrease) !== undefined,
  );
  const missing = next.missing ?? (compares ? stable.missing : undefined);
  const answers = metrics
    .filter(({ template }) => template)
    .flatMap(({ name }) => observation.measured(name, since) ?? []);
  const usage = metrics
    .filter(({ name, template }) => isUsageMetric(name) && !template)
    .flatMap(({ name }) => observation.usage(name, revision, since) ?? []);
  const inputs: RoundInputs = {
    elapsedMs: observation.now - since,
    weight: state.weight ?? 0,
    window: evidence?.windows ?? 1,
    confidence: analysis.confidence,
    minRequests: analysis.minRequests,
    metrics,
    // What the new revision's counts lack may be what is against it; of the stable one's only comparisons depend.
    complete: next.complete && (stable.complete || !compares),
    ...(missing ? { missing: [...missing] } : {}),
    reports: next.served.reporters > 0,
    ...(isQuiet ? { quiet: true } : {}),
    next: countsOf(next, withDurations),
    stable: countsOf(stable, withDurations),
    ...(evidence?.stable ? { earlierStable: evidence.stable } : {}),
    ...(evidence && evidence.claims.length > 0 ? { evidence: evidence.claims } : {}),
    ...(answers.length > 0 ? { answers } : {}),
    ...(usage.length > 0 ? { usage } : {}),
  };
  return { inputs, judgement: judgeRound(inputs), next, stable };
}

/** Tells windows of a release apart: one that begins, however that came, is the next. */
export function countWindow(state: CanaryStatus, since: string): void {
  const { windows = 0, claims = [], stable, since: before } = state.evidence ?? {};
  if (before === since) return;
  state.evidence = { windows: windows + 1, since, claims, ...(stable ? { stable } : {}) };
}

/** Ends a window: what it showed is evidence from now on. */
export function closeWindow(state: CanaryStatus, { inputs, judgement }: Round): void {
  if (!state.evidence) return;
  const stable = addCounts(state.evidence.stable, inputs.stable);
  state.evidence = { ...state.evidence, claims: [...judgement.evidence], stable };
}

/** Writes a round down; one of the same window takes the place of that before. */
export function recordRound(state: CanaryStatus, { inputs, judgement }: Round, revision: string, now: string): void {
  const { verdict, message, metrics } = judgement;
  const round: AnalysisRound = {
    time: now,
    revision,
    stableRevision: state.stableRevision ?? '',
    step: state.step ?? 0,
    verdict,
    ...(message === undefined ? {} : { message }),
    ...(metrics.length > 0 ? { metrics: [...metrics] } : {}),
    inputs,
  };
  const [before] = state.rounds ?? [];
  if (before && before.revision === revision && isSame(before, round)) return;
  const others = (state.rounds ?? []).filter((one) => one.revision !== revision || one.inputs.window !== inputs.window);
  state.rounds = [round, ...others].slice(0, KEPT_ROUNDS);
}

/** Time that passes is no news: a status that waits is not written again and again. */
function isSame(before: AnalysisRound, round: AnalysisRound): boolean {
  const essence = ({ time: _, inputs: { elapsedMs: __, ...inputs }, ...rest }: AnalysisRound) => ({ ...rest, inputs });
  return isSameOnWire(essence(before), essence(round));
}

function recordedMetric(metric: CanaryMetric, intervalMs: number): RecordedMetric {
  const { name, templateRef, percentile, thresholdRange = {}, comparedToStable = {} } = metric;
  return withoutUndefined({
    name,
    template: templateRef === undefined ? undefined : true,
    percentile,
    intervalMs: metric.interval === undefined ? intervalMs : durationMs(metric.interval),
    ...thresholdRange,
    ...comparedToStable,
  });
}

function withoutUndefined(
  metric: { [Field in keyof RecordedMetric]: RecordedMetric[Field] | undefined },
): RecordedMetric {
  return Object.fromEntries(Object.entries(metric).filter(([, value]) => value !== undefined)) as RecordedMetric;
}

function countsOf({ callers, served }: TrafficAnswer, withDurations: boolean): RevisionCounts {
  const side = ({ requests, failures, durations }: RevisionTraffic): SideCounts => ({
    requests,
    failures,
    ...(withDurations ? { durations: [...durations] } : {}),
  });
  return { callers: side(callers), served: side(served) };
}

function addCounts(a: RevisionCounts | undefined, b: RevisionCounts): RevisionCounts {
  if (!a) return b;
  return { callers: addSide(a.callers, b.callers), served: addSide(a.served, b.served) };
}

function addSide(a: SideCounts, b: SideCounts): SideCounts {
  const sum = { requests: a.requests + b.requests, failures: a.failures + b.failures };
  if (!a.durations && !b.durations) return sum;
  const buckets = new Map<number, NonNullable<SideCounts['durations']>[number]>();
  for (const bucket of [...(a.durations ?? []), ...(b.durations ?? [])]) {
    const known = buckets.get(bucket.overMs);
    buckets.set(bucket.overMs, { ...bucket, count: bucket.count + (known?.count ?? 0) });
  }
  return { ...sum, durations: [...buckets.values()].sort((x, y) => x.overMs - y.overMs) };
}
