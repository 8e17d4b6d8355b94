import { z } from 'zod';
import { canaryMetric } from './canary-metric.ts';
import { duration } from './duration.ts';
import { withRules } from './rule.ts';

const percent = z.int().min(1).max(100);

const weighting = z.object({
  interval: duration.describe('Time between checks, e.g. "30s".'),
  threshold: z.int().min(1).default(5).describe('Failed checks after which the revision is given up.'),
  stepWeight: percent.optional().describe('Percent added at each step, up to maxWeight.'),
  maxWeight: percent
    .optional()
    .describe('Percent at which the revision is promoted when stepWeight is given; 100 unless told.'),
  stepWeights: z
    .array(percent)
    .min(1)
    .max(100)
    .optional()
    .describe('Percent of the requests at each step, rising: [5, 50, 100].'),
  minRequests: z
    .int()
    .min(1)
    .default(10)
    .describe('Requests a check needs before it says anything but InsufficientTraffic.'),
  metrics: z
    .array(canaryMetric)
    .max(10)
    .default([])
    .describe('Checks; each must pass. Without any: request-success-rate of at least 99.'),
});

export const canaryAnalysis = withRules(weighting, [
  {
    cel: 'has(self.stepWeight) != has(self.stepWeights)',
    message: 'give exactly one of stepWeight and stepWeights',
    holds: ({ stepWeight, stepWeights }) => (stepWeight === undefined) !== (stepWeights === undefined),
  },
  {
    cel: '!has(self.stepWeights) || self.stepWeights.isSorted()',
    message: 'stepWeights must rise, e.g. [5, 50, 100]',
    holds: ({ stepWeights = [] }) => stepWeights.every((weight, i) => weight >= (stepWeights[i - 1] ?? 0)),
  },
  {
    cel: '!has(self.stepWeight) || !has(self.maxWeight) || self.stepWeight <= self.maxWeight',
    message: 'stepWeight must not be above maxWeight',
    holds: ({ stepWeight = 0, maxWeight = 100 }) => stepWeight <= maxWeight,
  },
]);

export type CanaryAnalysis = z.infer<typeof canaryAnalysis>;
