import { isUsageMetric } from '../../../api/canary-metric.ts';
import type {
  ClaimEvidence,
  MetricResult,
  MetricVerdict,
  RecordedMetric,
  RevisionCounts,
  RoundInputs,
  RoundVerdict,
} from '../../../api/canary-round.ts';
import { type BoundResult, judgeBound, type Standard, type TellingSide } from './judge-bound.ts';
import { judgeTemplate } from './judge-template.ts';
import { judgeUsage } from './judge-usage.ts';
import type { MetricKind } from './metric-kind.ts';
import { METRIC_KINDS } from './metric-kinds.ts';

/** What a round says of a revision. */
export interface Judgement {
  readonly verdict: RoundVerdict;
  /** For people; absent when it has passed. */
  readonly message?: string;
  /** It has failed so that no further check is needed. */
  readonly final?: boolean;
  /** All that speaks against it is a comparison with the stable revision that chance can explain. */
  readonly isChance?: true;
  readonly metrics: readonly MetricResult[];
  /** The evidence to go on with once the window is closed. */
  readonly evidence: readonly ClaimEvidence[];
}

/** Proxies report every 5 s; before three reports could have come, silence proves nothing. */
export const SILENCE_MS = 15_000;

/** From grave to good: what the worst of the metrics says is said of the revision. */
const GRAVITY: readonly MetricVerdict[] = [
  'Failed',
  'MetricUnavailable',
  'InsufficientTraffic',
  'InsufficientEvidence',
  'Pending',
  'NotComparable',
  'Passed',
];

/**
 * Judges what a window showed. Pure: the same inputs give the same judgement, so that a recorded one can be replayed.
 */
export function judgeRound(inputs: RoundInputs): Judgement {
  const evidence = inputs.evidence ?? [];
  const early = inputs.quiet ? undefined : judgeCounts(inputs);
  if (early) return { ...early, metrics: [], evidence };
  const bounds = inputs.metrics.reduce((sum, metric) => sum + (boundsOf(metric)?.length ?? 0), 0);
  const standard = { alpha: 1 - inputs.confidence / 100, bounds: Math.max(1, bounds), window: inputs.window };
  const judged = inputs.metrics.map((metric) => judgeMetric(metric, inputs, standard));
  const after = judged.flatMap((one) => one.after);
  const kept = evidence.filter(({ claim }) => !after.some((one) => one.claim === claim));
  const metrics = judged.map(({ result }) => result);
  const worst = gravest(metrics);
  const verdict = worst?.verdict === undefined || worst.verdict === 'NotComparable' ? 'Passed' : worst.verdict;
  const isChance = verdict === 'InsufficientEvidence' && judged.every((one) => one.isChance || isKept(one.result));
  return {
    verdict,
    ...(verdict === 'Passed' || worst?.message === undefined ? {} : { message: worst.message }),
    ...(isChance ? { isChance } : {}),
    metrics,
    evidence: [...kept, ...after],
  };
}

function isKept({ verdict }: MetricResult): boolean {
  return verdict === 'Passed' || verdict === 'NotComparable';
}

/** What can be said without looking at any metric. */
function judgeCounts(inputs: RoundInputs): Pick<Judgement, 'verdict' | 'message' | 'final'> | undefined {
  const { complete, missing = [], minRequests, next, stable, reports, elapsedMs } = inputs;
  if (!complete) {
    const message =
      missing.length > 0
        ? `the sidecars of pods ${missing.join(', ')} do not report to the leading operator, so their counts are missing`
        : 'the counts of some proxies are missing or old';
    return { verdict: 'IncompleteMetrics', message };
  }
  const { requests, failures } = next.callers;
  if (requests < minRequests) {
    return {
      verdict: 'InsufficientTraffic',
      message: `callers sent ${requests} of the ${minRequests} requests a check needs`,
    };
  }
  // Where the stable revision can serve nobody either, it may be anything.
  const stableServes = stable.callers.requests < minRequests || stable.callers.failures < stable.callers.requests;
  if (failures === requests && stableServes) {
    return { verdict: 'Failed', final: true, message: `none of ${requests} requests succeeded` };
  }
  if (!reports) {
    const message = "the counters of the revision's own sidecars have vanished";
    return { verdict: elapsedMs < SILENCE_MS ? 'IncompleteMetrics' : 'Failed', message };
  }
  return undefined;
}

function boundsOf(metric: RecordedMetric) {
  return metric.template ? undefined : METRIC_KINDS.get(metric.name)?.bounds(metric);
}

interface Judged {
  readonly result: MetricResult;
  readonly isChance?: boolean;
  readonly after: readonly ClaimEvidence[];
}

function judgeMetric(metric: RecordedMetric, inputs: RoundInputs, standard: Standard): Judged {
  const { name } = metric;
  if (inputs.elapsedMs < metric.intervalMs) {
    const message = `${name} is judged after ${metric.intervalMs / 1000} s`;
    return { result: { name, verdict: 'Pending', message }, after: [] };
  }
  if (metric.template) return { result: judgeTemplate(metric, inputs.answers ?? []), after: [] };
  if (isUsageMetric(name)) return { result: judgeUsage(name, metric, inputs), after: [] };
  if (inputs.quiet) {
    return { result: { name, verdict: 'NotComparable', message: `no requests come at this step` }, after: [] };
  }
  const kind = METRIC_KINDS.get(name);
  if (kind === undefined) {
    return { result: { name, verdict: 'MetricUnavailable', message: `${name} is no metric` }, after: [] };
  }
  return judgeBuiltIn(kind, metric, inputs, standard);
}

function judgeBuiltIn(kind: MetricKind, metric: RecordedMetric, inputs: RoundInputs, standard: Standard): Judged {
  const sides = tellingSides(kind, inputs);
  const { name } = metric;
  const results: BoundResult[] = [];
  let untold: MetricResult | undefined;
  for (const bound of kind.bounds(metric)) {
    const fit = bound.relative ? sides.filter(({ stable }) => stable !== undefined) : sides;
    const measured = fit.filter((side) => isMeasured(kind, metric, side, bound.relative));
    if (measured.length > 0) results.push(judgeBound(kind, metric, bound, measured, inputs.evidence ?? [], standard));
    else untold = untoldResult(name, bound.relative && sides.length > 0, fit.length > 0, inputs);
  }
  const after = results.flatMap((one) => one.after);
  const worst = gravest([...results.map((one) => toResult(name, one)), ...(untold ? [untold] : [])]);
  const isChance = results.every((one) => one.isChance || one.verdict === 'Passed');
  return { result: worst ?? { name, verdict: 'Passed' }, isChance, after };
}

function untoldResult(name: string, relative: boolean, compared: boolean, inputs: RoundInputs): MetricResult {
  if (!relative) return { name, verdict: 'InsufficientTraffic', message: `${name} could not be measured` };
  if (compared) return { name, verdict: 'NotComparable', message: `${name} can't be compared at ${inputs.weight} %` };
  const { requests } = inputs.stable.callers;
  const message = `the stable revision got ${requests} of the ${inputs.minRequests} requests that a comparison of ${name} needs`;
  return { name, verdict: 'InsufficientTraffic', message };
}

function isMeasured(kind: MetricKind, metric: RecordedMetric, side: TellingSide, relative: boolean): boolean {
  const { next, stable } = kind.values(metric, side);
  return next !== undefined && (!relative || stable !== undefined);
}

/** Sides on which the new revision got enough requests, each with the stable one's counts where those are enough too. */
function tellingSides(
  kind: MetricKind,
  { minRequests, next, stable, earlierStable, weight }: RoundInputs,
): TellingSide[] {
  return kind.sides
    .filter((name) => next[name].requests >= minRequests)
    .map((name) => {
      const enough = (counts: RevisionCounts | undefined) =>
        counts !== undefined && counts[name].requests >= minRequests;
      const earlier = !enough(stable) && enough(earlierStable);
      const other = enough(stable) ? stable[name] : earlier ? earlierStable?.[name] : undefined;
      return { name, next: next[name], stable: other, weight, earlier };
    });
}

function toResult(name: string, one: BoundResult): MetricResult {
  const { verdict, message, value, stableValue, samples, stableSamples, bound, log, needed } = one;
  const odds = (logarithm: number) => Number(Math.exp(logarithm).toPrecision(3));
  return {
    name,
    verdict,
    ...(message === undefined ? {} : { message }),
    value: rounded(value),
    ...(stableValue === undefined ? {} : { stableValue: rounded(stableValue) }),
    samples,
    ...(stableSamples === undefined ? {} : { stableSamples }),
    ...(bound === undefined ? {} : { bound }),
    ...(log === undefined || needed === undefined ? {} : { evidence: odds(log), evidenceNeeded: odds(needed) }),
  };
}

function gravest(results: readonly MetricResult[]): MetricResult | undefined {
  const gravity = ({ verdict }: MetricResult) => GRAVITY.indexOf(verdict);
  return [...results].sort((a, b) => gravity(a) - gravity(b))[0];
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
