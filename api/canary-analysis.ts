import { z } from 'zod';
import { ANALYSIS_RULES } from './canary-analysis-rules.ts';
import { controlFields } from './canary-control.ts';
import { canaryMatch } from './canary-match.ts';
import { canaryMetric } from './canary-metric.ts';
import { duration } from './duration.ts';
import { withRules } from './rule.ts';
import { sessionAffinity } from './session-affinity.ts';
import { stickiness } from './stickiness.ts';

const percent = z.int().min(1).max(100);

const fields = z.object({
  interval: duration.describe(
    'Time between checks, 1s or more, e.g. "30s". Proxies report every 5 s, so shorter checks wait for the next report.',
  ),
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
  stepDurations: z
    .array(duration)
    .min(1)
    .max(100)
    .optional()
    .describe(
      'How long each of stepWeights lasts, e.g. ["1m", "10m", "1m"]; it is checked every interval. One interval each unless told.',
    ),
  stepWeightPromotion: percent
    .optional()
    .describe('Percent added every interval once the analysis has passed, up to 100; at once unless told.'),
  iterations: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      'Checks that must pass, in place of weights. With match: an A/B test. Without: blue/green, where the new revision is checked before it gets any live request, then gets all.',
    ),
  match: z
    .array(canaryMatch)
    .min(1)
    .max(20)
    .optional()
    .describe('Requests that any of these match go to the new revision, and no others (A/B test). Needs iterations.'),
  mirror: z
    .boolean()
    .default(false)
    .describe(
      'Send copies of requests to the new revision first, whose answers nobody sees: for one check before the first weight or match, and for all checks of blue/green. What a request does, a copy does again.',
    ),
  mirrorWeight: percent.optional().describe('Percent of the requests that are copied; 100 unless told.'),
  sessionAffinity: sessionAffinity
    .optional()
    .describe('A user whom the new revision answered stays on it while the weight moves.'),
  stickiness: stickiness
    .optional()
    .describe('What of a request decides on which side of the split it falls, in place of chance.'),
  surge: z
    .union([
      z.int().min(1).max(10_000),
      z.string().regex(/^([1-9][0-9]?|100)%$/, 'must be a number of pods, or "1%" to "100%"'),
    ])
    .meta({ 'x-kubernetes-int-or-string': true })
    .optional()
    .describe(
      'New pods that stand beside the old at every step, as a number or as percent of the replicas. Enough for the weight unless told; as many as the old ones for match and blue/green.',
    ),
  traffic: z
    .enum(['Requests', 'None'])
    .default('Requests')
    .describe(
      'None: the target takes no requests, as a worker that reads a queue. A weight is then the share of its replicas that stand beside the old, which work as soon as they run, and go when the revision is given up.',
    ),
  minRequests: z
    .int()
    .min(1)
    .default(10)
    .describe('Requests a check needs before it says anything but InsufficientTraffic.'),
  confidence: z
    .number()
    .min(50)
    .max(99.999)
    .default(99)
    .describe(
      'How sure a verdict against a revision must be, in percent: a good one fails in at most (100 - confidence) % of the releases, however many checks they have.',
    ),
  noTrafficPolicy: z
    .enum(['Wait', 'Promote', 'Fail'])
    .default('Fail')
    .describe(
      'What becomes of a step that has had too few requests until noTrafficDeadline. Fail: the revision is given up. Promote: the step counts as passed. Wait: it waits on.',
    ),
  noTrafficDeadline: duration
    .optional()
    .describe('How long a step waits for requests; progressDeadlineSeconds unless told.'),
  metrics: z
    .array(canaryMetric)
    .max(10)
    .default([])
    .describe('Checks; each must pass. Without any: request-success-rate of at least 99.'),
  ...controlFields,
});

export const canaryAnalysis = withRules(fields, ANALYSIS_RULES);

export type CanaryAnalysis = z.infer<typeof canaryAnalysis>;
