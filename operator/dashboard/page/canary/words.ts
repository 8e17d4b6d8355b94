import type { Canary } from '../../../../api/canary.ts';
import type { MetricResult, RecordedMetric } from '../../../../api/canary-round.ts';
import type { Tone } from '../figure.ts';
import { count, millis } from '../format.ts';

/** The colour of a phase. */
export function phaseTone(canary: Canary): Tone {
  const tones: Readonly<Record<string, Tone>> = {
    Succeeded: 'good',
    Initialized: 'good',
    Progressing: 'accent',
    Promoting: 'accent',
    Waiting: 'warn',
    Failed: 'bad',
  };
  return tones[canary.status?.phase ?? ''] ?? 'plain';
}

/** The colour of a verdict: what is not decided is neither good nor bad. */
export function verdictTone(verdict: string): Tone {
  if (verdict === 'Passed') return 'good';
  if (verdict === 'Failed') return 'bad';
  return verdict === 'Pending' ? 'plain' : 'warn';
}

/** `InsufficientEvidence` as people write it: `insufficient evidence`. */
export function words(camel: string): string {
  return camel.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}

/** A metric's value with its unit; undefined where there is none. */
export function metricValue({ name }: Pick<MetricResult, 'name'>, value: number | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (name === 'request-success-rate') return `${Number(value.toFixed(2))}%`;
  return name === 'request-duration' ? millis(value) : count(value);
}

/** What a metric is held to, such as `at least 99%`. */
export function boundOf(metric: RecordedMetric | undefined): string {
  if (metric === undefined) return '';
  const say = (value: number) => metricValue(metric, value) ?? '';
  const relative = (value: number) => (metric.name === 'request-success-rate' ? `${value} points` : `${value}%`);
  const parts = [
    metric.min === undefined ? '' : `at least ${say(metric.min)}`,
    metric.max === undefined ? '' : `at most ${say(metric.max)}`,
    metric.maxDecrease === undefined ? '' : `at most ${relative(metric.maxDecrease)} below stable`,
    metric.maxIncrease === undefined ? '' : `at most ${relative(metric.maxIncrease)} above stable`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** Odds against a revision between none and as many as it takes, 0 to 1. They grow by factors, so this is by their logarithm. */
export function evidenceShare({ evidence, evidenceNeeded }: MetricResult): number | undefined {
  if (evidence === undefined || evidenceNeeded === undefined || evidenceNeeded <= 1) return undefined;
  return Math.min(1, Math.max(0, Math.log(Math.max(1, evidence)) / Math.log(evidenceNeeded)));
}

/** `96ms` as other figures here are written. */
export function spaced(text: string | undefined): string | undefined {
  return text?.replace(/(?<=\d)(?=[a-z])/i, ' ');
}
