import { type CanarySpec, canarySpec } from '../api/canary.ts';
import type { CanaryAnalysis } from '../api/canary-analysis.ts';
import { durationMs } from '../api/duration.ts';
import { schemaProblems } from './schema-problems.ts';
import { controlProblems } from './validate-canary-control.ts';
import { stepProblems } from './validate-canary-steps.ts';

/** Shortest window of an analysis: below it hardly any request is counted. */
const MIN_INTERVAL_MS = 1000;

/**
 * What is wrong with a Canary's spec: the schema first, whose rules the API server knows too, then what CEL could not say.
 * @returns one sentence per problem, beginning with the field, saying what to write instead
 */
export function validateCanary(spec: unknown): string[] {
  const result = canarySpec.safeParse(spec);
  if (!result.success) return schemaProblems(result.error);
  const { data } = result;
  const problems = [...targetProblems(data), ...intervalProblems(data), ...analysisProblems(data)];
  return [...problems, ...controlProblems(data)];
}

function targetProblems({ targetRef, takeOnlyPod }: CanarySpec): string[] {
  const problems: string[] = [];
  if (targetRef.apiVersion !== 'apps/v1') {
    problems.push(`spec.targetRef.apiVersion: "${targetRef.apiVersion}" is not known; write apps/v1`);
  }
  if (takeOnlyPod && targetRef.kind === 'Deployment') {
    problems.push('spec.takeOnlyPod: new pods of a Deployment stand beside the old ones; remove it');
  }
  return problems;
}

function intervalProblems({ analysis, progressDeadlineSeconds }: CanarySpec): string[] {
  const interval = durationMs(analysis.interval);
  const { noTrafficDeadline } = analysis;
  if (noTrafficDeadline !== undefined && durationMs(noTrafficDeadline) < interval) {
    return [`spec.analysis.noTrafficDeadline: "${noTrafficDeadline}" is shorter than the interval; write more`];
  }
  if (interval < MIN_INTERVAL_MS)
    return [`spec.analysis.interval: "${analysis.interval}" is too short; write 1s or more`];
  if (interval <= progressDeadlineSeconds * 1000) return [];
  return [
    `spec.analysis.interval: "${analysis.interval}" is longer than spec.progressDeadlineSeconds (${progressDeadlineSeconds}); raise the latter`,
  ];
}

function analysisProblems({ analysis, progressDeadlineSeconds }: CanarySpec): string[] {
  return [...stepProblems(analysis), ...metricProblems(analysis, progressDeadlineSeconds)];
}

function metricProblems({ metrics }: CanaryAnalysis, deadlineSeconds: number): string[] {
  const seen = new Set<string>();
  return metrics.flatMap((metric, index) => {
    const { name, templateRef, thresholdRange: { min, max } = {}, comparedToStable: { maxDecrease } = {} } = metric;
    const field = `spec.analysis.metrics[${index}]`;
    const problems: string[] = [];
    if (seen.has(name)) problems.push(`${field}.name: "${name}" is there already; keep one entry`);
    seen.add(name);
    if (metric.interval !== undefined && durationMs(metric.interval) > deadlineSeconds * 1000) {
      const remedy = `is longer than spec.progressDeadlineSeconds (${deadlineSeconds}); raise the latter`;
      problems.push(`${field}.interval: "${metric.interval}" ${remedy}`);
    }
    if (templateRef !== undefined) return problems;
    if ((min ?? 0) < 0 || (max ?? 0) < 0) problems.push(`${field}.thresholdRange: ${name} is never below 0`);
    if (name !== 'request-success-rate') return problems;
    if ((min ?? 0) > 100 || (max ?? 0) > 100) {
      problems.push(`${field}.thresholdRange: a success rate is a percentage; write at most 100`);
    }
    if ((maxDecrease ?? 0) > 100) problems.push(`${field}.comparedToStable.maxDecrease: in points; write at most 100`);
    return problems;
  });
}
