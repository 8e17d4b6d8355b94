import type { CanaryAnalysis } from '../api/canary-analysis.ts';
import { isUsageMetric } from '../api/canary-metric.ts';
import { durationMs } from '../api/duration.ts';

const DEFAULT_STEP_WEIGHT = 10;
/** Two samples of what pods use. */
const SAMPLING_MS = 30_000;

/** Steps of an analysis as the operator counts them: copies come first, and blue/green has them in its one step. */
export function countSteps({ iterations, match, mirror, ...weights }: CanaryAnalysis): number {
  if (iterations !== undefined && match === undefined) return 1;
  const { stepWeights, stepWeight = DEFAULT_STEP_WEIGHT, maxWeight = 100 } = weights;
  const live = iterations === undefined ? (stepWeights?.length ?? Math.ceil(maxWeight / stepWeight)) : 1;
  return live + (mirror ? 1 : 0);
}

/** Seconds that an analysis takes when every check passes at once: an interval for each, or as long as its step is to last. */
export function leastSeconds(analysis: CanaryAnalysis): number {
  const { interval, iterations = 1, stepDurations = [], metrics } = analysis;
  const sampled = metrics.some(({ name, templateRef }) => isUsageMetric(name) && templateRef === undefined);
  const lasting = (duration: string) => Math.max(durationMs(duration), sampled ? SAMPLING_MS : 0);
  // All checks but the first of a step with iterations come on top of one a step.
  const windows = countSteps(analysis) - stepDurations.length + iterations - 1;
  const others = stepDurations.reduce((sum, duration) => sum + lasting(duration), 0);
  return Math.ceil((windows * lasting(interval) + others) / 1000);
}
