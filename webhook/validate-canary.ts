import { type CanaryAnalysis, type CanarySpec, canarySpec } from '../api/canary.ts';
import { durationMs } from '../api/duration.ts';

/** Shortest window of an analysis: below it hardly any request is counted. */
const MIN_INTERVAL_MS = 1000;

/**
 * What is wrong with a Canary's spec: the schema first, then what needs several fields.
 * @returns one sentence per problem, beginning with the field, saying what to write instead
 */
export function validateCanary(spec: unknown): string[] {
  const result = canarySpec.safeParse(spec);
  if (!result.success) {
    return result.error.issues.map(({ path, message }) => `spec${path.map(fieldStep).join('')}: ${message}`);
  }
  return [...targetProblems(result.data), ...intervalProblems(result.data), ...analysisProblems(result.data.analysis)];
}

function fieldStep(step: PropertyKey): string {
  return typeof step === 'number' ? `[${step}]` : `.${String(step)}`;
}

function targetProblems({ targetRef }: CanarySpec): string[] {
  if (targetRef.apiVersion === 'apps/v1') return [];
  return [`spec.targetRef.apiVersion: "${targetRef.apiVersion}" is not known; write apps/v1`];
}

function intervalProblems({ analysis, progressDeadlineSeconds }: CanarySpec): string[] {
  const interval = durationMs(analysis.interval);
  if (interval < MIN_INTERVAL_MS)
    return [`spec.analysis.interval: "${analysis.interval}" is too short; write 1s or more`];
  if (interval <= progressDeadlineSeconds * 1000) return [];
  return [
    `spec.analysis.interval: "${analysis.interval}" is longer than spec.progressDeadlineSeconds (${progressDeadlineSeconds}); raise the latter`,
  ];
}

function analysisProblems(analysis: CanaryAnalysis): string[] {
  return [...stepProblems(analysis), ...metricProblems(analysis)];
}

function stepProblems({ stepWeight, stepWeights, maxWeight }: CanaryAnalysis): string[] {
  if (stepWeight === undefined && stepWeights === undefined) {
    return ['spec.analysis: one of stepWeight and stepWeights is needed; write for example stepWeight: 10'];
  }
  if (stepWeight !== undefined && stepWeights !== undefined) {
    return ['spec.analysis.stepWeights: cannot be combined with stepWeight; keep one of the two'];
  }
  if (stepWeights !== undefined) {
    if (maxWeight !== undefined) return ['spec.analysis.maxWeight: has no meaning with stepWeights; remove it'];
    const fall = stepWeights.findIndex((weight, index) => index > 0 && weight <= (stepWeights[index - 1] ?? 0));
    if (fall < 0) return [];
    const [before, here] = [stepWeights[fall - 1], stepWeights[fall]];
    return [
      `spec.analysis.stepWeights[${fall}]: ${here} does not rise above the ${before} before it; list rising weights`,
    ];
  }
  if (maxWeight !== undefined && stepWeight !== undefined && maxWeight < stepWeight) {
    return [`spec.analysis.maxWeight: ${maxWeight} is less than stepWeight (${stepWeight}); raise it`];
  }
  return [];
}

function metricProblems({ metrics }: CanaryAnalysis): string[] {
  const seen = new Set<string>();
  return metrics.flatMap(({ name, thresholdRange: { min, max } }, index) => {
    const field = `spec.analysis.metrics[${index}]`;
    const problems: string[] = [];
    if (seen.has(name)) problems.push(`${field}.name: "${name}" is there already; keep one entry`);
    seen.add(name);
    if (min === undefined && max === undefined) {
      problems.push(`${field}.thresholdRange: needs min or max`);
    } else if (min !== undefined && max !== undefined && min > max) {
      problems.push(`${field}.thresholdRange: min ${min} is greater than max ${max}; exchange them`);
    }
    if (name === 'request-success-rate' && ((min ?? 0) > 100 || (max ?? 0) > 100)) {
      problems.push(`${field}.thresholdRange: a success rate is a percentage; write at most 100`);
    }
    return problems;
  });
}
