import type { CanaryAnalysis } from '../../api/canary-analysis.ts';
import type { CanaryMetric } from '../../api/canary-metric.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { RevisionTraffic, TrafficAnswer } from '../telemetry/traffic.ts';

/** What a window says about a revision. */
export type Verdict =
  | { readonly kind: 'Passed' }
  | { readonly kind: 'Failed'; readonly message: string }
  /** No verdict can be had yet; neither for nor against the revision. */
  | { readonly kind: 'IncompleteMetrics' | 'InsufficientTraffic'; readonly message: string };

type Figures = NonNullable<CanaryStatus['metrics']>;

/** Proxies report every 5 s; before three reports could have come, silence proves nothing. */
export const SILENCE_MS = 15_000;

const DEFAULT_METRICS: readonly CanaryMetric[] = [{ name: 'request-success-rate', thresholdRange: { min: 99 } }];

/**
 * Judges a window by what callers saw and what the revision's own sidecars served, whichever is worse.
 * @param elapsedMs length of the window
 */
export function judgeWindow(analysis: CanaryAnalysis, answer: TrafficAnswer, elapsedMs: number): Verdict {
  const { callers, served, complete, missing = [] } = answer;
  const { minRequests } = analysis;
  if (!complete) {
    const message =
      missing.length > 0
        ? `the sidecars of pods ${missing.join(', ')} do not report to the leading operator, so their counts are missing`
        : 'the counts of some proxies are missing or old';
    return { kind: 'IncompleteMetrics', message };
  }
  if (callers.requests < minRequests) {
    const message = `callers sent ${callers.requests} of the ${minRequests} requests a check needs`;
    return { kind: 'InsufficientTraffic', message };
  }
  if (served.reporters === 0) {
    const message = "the counters of the revision's own sidecars have vanished";
    return { kind: elapsedMs < SILENCE_MS ? 'IncompleteMetrics' : 'Failed', message };
  }
  const sides = telling(answer, minRequests);
  for (const metric of analysis.metrics.length > 0 ? analysis.metrics : DEFAULT_METRICS) {
    const message = checkMetric(metric, sides);
    if (message) return { kind: 'Failed', message };
  }
  return { kind: 'Passed' };
}

/** The figures of a window as the printer columns show them. */
export function figuresOf(answer: TrafficAnswer): Figures {
  const sides = telling(answer, 1);
  const requests = answer.callers.requests || answer.served.requests;
  const rate = lowestRate(sides);
  const p99 = highestP99(sides);
  return {
    ...(rate === undefined ? {} : { successRate: `${floorTo(rate, 1)}%` }),
    ...(p99 === undefined ? {} : { p99: `${p99 < 10 ? floorTo(p99, 1) : Math.round(p99)}ms` }),
    requests,
  };
}

/** The sides that saw enough requests to tell anything. */
function telling({ callers, served }: TrafficAnswer, minRequests: number): readonly RevisionTraffic[] {
  return [callers, served].filter(({ requests }) => requests >= minRequests);
}

function checkMetric({ name, thresholdRange: range }: CanaryMetric, sides: readonly RevisionTraffic[]) {
  const rate = name === 'request-success-rate';
  const unit = rate ? ' %' : ' ms';
  const values = sides.map(rate ? successRate : ({ p99Ms }) => p99Ms).filter((value) => value !== undefined);
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (values.length === 0) return `${name} could not be measured`;
  if (range.min !== undefined && low < range.min) return `${name} ${text(low)}${unit} is below ${range.min}${unit}`;
  if (range.max !== undefined && high > range.max) return `${name} ${text(high)}${unit} is above ${range.max}${unit}`;
  return undefined;
}

function successRate({ requests, failures }: RevisionTraffic): number {
  return ((requests - failures) * 100) / requests;
}

function lowestRate(sides: readonly RevisionTraffic[]): number | undefined {
  return sides.length === 0 ? undefined : Math.min(...sides.map(successRate));
}

function highestP99(sides: readonly RevisionTraffic[]): number | undefined {
  const values = sides.map(({ p99Ms }) => p99Ms).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : Math.max(...values);
}

function text(value: number): string {
  return String(floorTo(value, 2));
}

/** Cuts rather than rounds, so that 99.96 % never shows as 100 %. */
function floorTo(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.floor(value * scale + 1e-9) / scale;
}
