import type { CanarySpec } from '../api/canary.ts';
import type { CanaryAnalysis } from '../api/canary-analysis.ts';
import { durationMs } from '../api/duration.ts';
import { leastSeconds } from './analysis-length.ts';

/** Time that pods need to come up, and sidecars to hear of a weight, before a check begins. */
const GRACE_SECONDS = 60;

/**
 * What is wrong with how an analysis goes on.
 * @returns one sentence per problem, beginning with the field
 */
export function stepProblems(analysis: CanaryAnalysis): string[] {
  const { stepWeights, maxWeight, iterations, stepWeightPromotion } = analysis;
  const problems: string[] = [];
  if (maxWeight !== undefined && stepWeights !== undefined) {
    problems.push('spec.analysis.maxWeight: has no meaning with stepWeights; remove it');
  }
  if (maxWeight !== undefined && iterations !== undefined) {
    problems.push('spec.analysis.maxWeight: has no meaning with iterations, which have no weight; remove it');
  }
  if (stepWeightPromotion !== undefined && iterations !== undefined && analysis.match === undefined) {
    problems.push('spec.analysis.stepWeightPromotion: blue/green is one switch; remove it');
  }
  const same = stepWeights?.findIndex((weight, index) => index > 0 && weight === stepWeights[index - 1]) ?? -1;
  if (stepWeights !== undefined && same >= 0) {
    problems.push(`spec.analysis.stepWeights[${same}]: ${stepWeights[same]} stands there twice; list rising weights`);
  }
  for (const [index, duration] of analysis.stepDurations?.entries() ?? []) {
    if (durationMs(duration) >= 1000) continue;
    problems.push(`spec.analysis.stepDurations[${index}]: "${duration}" is too short; write 1s or more`);
  }
  if (analysis.traffic === 'None') problems.push(...workerProblems(analysis));
  return problems;
}

function workerProblems({ metrics }: CanaryAnalysis): string[] {
  return metrics.flatMap(({ name }, index) => {
    if (name !== 'request-success-rate' && name !== 'request-duration') return [];
    return [
      `spec.analysis.metrics[${index}].name: "${name}" is of requests, and spec.analysis.traffic is None; use a metric of another source`,
    ];
  });
}

/**
 * What of an analysis may not be what was meant.
 * @param spec a valid one
 * @returns sentences for warnings
 */
export function canaryWarnings({ analysis, progressDeadlineSeconds }: CanarySpec): string[] {
  const warnings: string[] = [];
  const { stepWeight, maxWeight = 100, sessionAffinity } = analysis;
  const interval = durationMs(analysis.interval);
  if (progressDeadlineSeconds * 1000 < interval + GRACE_SECONDS * 1000) {
    warnings.push(
      `spec.progressDeadlineSeconds: ${progressDeadlineSeconds} leaves less than ${GRACE_SECONDS} s beside spec.analysis.interval ("${analysis.interval}") for pods to come up; a release may be given up before its first check`,
    );
  }
  if (stepWeight !== undefined && maxWeight % stepWeight !== 0) {
    const last = maxWeight % stepWeight;
    warnings.push(
      `spec.analysis.maxWeight: steps of ${stepWeight} do not reach ${maxWeight}, so the last one is of ${last}`,
    );
  }
  if (sessionAffinity !== undefined && sessionAffinity.maxAge < leastSeconds(analysis)) {
    warnings.push(
      `spec.analysis.sessionAffinity.maxAge: cookies live for ${sessionAffinity.maxAge} s, which is less than the analysis takes; users may fall back to the stable revision`,
    );
  }
  for (const [index, metric] of analysis.metrics.entries()) {
    // The query of a template is about its own interval, as in Flagger.
    if (metric.interval === undefined || metric.templateRef !== undefined) continue;
    if (durationMs(metric.interval) >= interval) continue;
    warnings.push(
      `spec.analysis.metrics[${index}].interval: "${metric.interval}" is shorter than spec.analysis.interval, so ${metric.name} is judged by all of the "${analysis.interval}" between two checks`,
    );
  }
  return warnings;
}
