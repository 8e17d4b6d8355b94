import { z } from 'zod';
import { conditions } from './condition.ts';
import { duration } from './duration.ts';
import { withRules } from './rule.ts';

export const CANARY_KIND = 'Canary';

const percent = z.int().min(1).max(100);

export const canaryMetric = z.object({
  name: z
    .enum(['request-success-rate', 'request-duration'])
    .describe(
      'request-success-rate: share of answers below 500, in percent. request-duration: 99th percentile, in ms.',
    ),
  thresholdRange: withRules(z.object({ min: z.number().min(0).optional(), max: z.number().min(0).optional() }), [
    {
      cel: 'has(self.min) || has(self.max)',
      message: 'give min, max or both',
      holds: ({ min, max }) => min !== undefined || max !== undefined,
    },
    {
      cel: '!has(self.min) || !has(self.max) || self.min <= self.max',
      message: 'min must not be above max',
      holds: ({ min, max }) => min === undefined || max === undefined || min <= max,
    },
  ]).describe('The check passes while the value is within this range, bounds included.'),
});

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

export const canarySpec = z.object({
  targetRef: z
    .object({
      apiVersion: z.string().max(64).default('apps/v1').describe('API version of the target.'),
      kind: z.enum(['Deployment']).describe('Kind of the target.'),
      name: z.string().min(1).max(253).describe('Name of the target, in the namespace of the Canary.'),
    })
    .describe('Whose new revisions are analysed. No copy of it is made.'),
  progressDeadlineSeconds: z
    .int()
    .min(1)
    .default(600)
    .describe('Seconds a step may wait for capacity before the revision is given up.'),
  skipAnalysis: z.boolean().default(false).describe('Promote new revisions at once.'),
  suspend: z.boolean().default(false).describe('Leave everything as it is until this is false again.'),
  analysis: canaryAnalysis.describe('How a new revision is tried.'),
});

export const CANARY_PHASES = [
  'Initializing',
  'Initialized',
  'Progressing',
  'Waiting',
  'Promoting',
  'Succeeded',
  'Failed',
] as const;

const windowFigures = z.object({
  successRate: z.string().optional().describe('The worse of what callers saw and what was served, e.g. 99.8%.'),
  p99: z.string().optional().describe('99th percentile of the duration, the worse of both sides, e.g. 12ms.'),
  requests: z.int().optional().describe('Requests in the window.'),
});

export const canaryStatus = z.object({
  observedGeneration: z.int().optional().describe('metadata.generation this status was made from.'),
  phase: z.enum(CANARY_PHASES).optional().describe('Where the release stands.'),
  stableRevision: z
    .string()
    .optional()
    .describe('Revision (pod-template-hash) that serves; always in ungatedRevisions.'),
  canaryRevision: z.string().optional().describe('Revision under analysis; absent when there is none.'),
  ungatedRevisions: z
    .array(z.string())
    .optional()
    .describe('Revisions whose pods get no readiness gate, and whose gates are opened. Empty: no gate at all.'),
  weight: z.int().min(0).max(100).optional().describe('Percent of the requests that go to canaryRevision.'),
  step: z.int().optional().describe('Index into the list of weights.'),
  failedChecks: z.int().optional().describe('Checks that failed in this analysis.'),
  failedRevision: z
    .string()
    .optional()
    .describe('Revision that failed last; it is not tried again until the template changes.'),
  stepStartTime: z.string().optional().describe('When the window of the present step began (RFC 3339).'),
  lastProgressTime: z
    .string()
    .optional()
    .describe('When the release last got on: a step, a check, one more pod (RFC 3339). The deadline counts from here.'),
  restarts: z.int().optional().describe("Restarts of the canary's containers that have been judged already."),
  canaryPods: z.int().optional().describe('Most eligible pods of canaryRevision seen in this release.'),
  recentRevisions: z
    .array(z.string())
    .optional()
    .describe('Revisions that were stable lately, newest first; to return to one needs no analysis.'),
  target: z.string().optional().describe('Name of the target this status speaks of.'),
  lastTransitionTime: z.string().optional().describe('When the phase last changed (RFC 3339).'),
  metrics: windowFigures
    .optional()
    .describe("The canary's figures in the last window, as the printer columns show them."),
  stableMetrics: windowFigures.optional().describe("The stable revision's figures in the same window."),
  verdict: z
    .string()
    .optional()
    .describe('One word on the last check: Passed, Failed, InsufficientTraffic, AwaitingCapacity, ...'),
  conditions: conditions.optional(),
});

export type CanarySpec = z.infer<typeof canarySpec>;
export type CanaryAnalysis = z.infer<typeof canaryAnalysis>;
export type CanaryMetric = z.infer<typeof canaryMetric>;
export type CanaryStatus = z.infer<typeof canaryStatus>;
export type CanaryPhase = (typeof CANARY_PHASES)[number];

/** A Canary as the API server gives it (spec before defaults are applied by the API server's schema). */
export interface Canary {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    generation?: number;
    resourceVersion?: string;
    creationTimestamp?: string;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
    finalizers?: string[];
  };
  spec: CanarySpec;
  status?: CanaryStatus;
}
