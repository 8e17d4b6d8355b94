import { z } from 'zod';
import { usageAnswer } from './canary-usage.ts';

/** What one look at a step saw and came to. It holds all that the judgement went by, so that the same judge can be asked again. */

const bucket = z.object({
  overMs: z.number().describe('They took longer than this.'),
  upToMs: z.number().optional().describe('And at most this; absent: however long.'),
  count: z.int().describe('Requests in it.'),
});

export const sideCounts = z.object({
  requests: z.int().describe('Requests in the window.'),
  failures: z.int().describe('Those that failed.'),
  durations: z
    .array(bucket)
    .optional()
    .describe('How long they took, shortest first, without empty buckets; only where a metric is about it.'),
});

export const revisionCounts = z.object({
  callers: sideCounts.describe("What callers' sidecars saw."),
  served: sideCounts.describe("What the revision's own sidecars served."),
});

const recordedMetric = z.object({
  name: z.string(),
  template: z.boolean().optional().describe('The value comes from a MetricTemplate.'),
  percentile: z.number().optional(),
  intervalMs: z.int().describe('How long it is watched before it is judged.'),
  min: z.number().optional(),
  max: z.number().optional(),
  maxDecrease: z.number().optional(),
  maxIncrease: z.number().optional(),
});

const templateAnswer = z.object({
  metric: z.string().describe('Name of the metric.'),
  query: z.string().describe('The query as it was sent.'),
  value: z.number().optional().describe('What it came to for the new revision.'),
  stableValue: z.number().optional().describe('What it came to for the stable one.'),
  reason: z.string().optional().describe('Why there is no value, in a word.'),
  error: z.string().optional().describe('Why there is no value.'),
});

export const claimEvidence = z.object({
  claim: z.string().describe('Metric, bound and side of the call.'),
  nextBad: z.int().describe('Events of the new revision that count against it.'),
  nextTotal: z.int().describe('All its events.'),
  stableBad: z.int().describe('The same of the stable revision.'),
  stableTotal: z.int(),
  log: z.number().describe('Natural logarithm of the evidence against the revision.'),
});

export const roundInputs = z.object({
  elapsedMs: z.int().describe('Length of the window.'),
  weight: z.int().describe('Percent of the requests that went to the new revision.'),
  window: z.int().describe('Which window of the release it is, from 1.'),
  confidence: z.number().describe('spec.analysis.confidence.'),
  minRequests: z.int().describe('spec.analysis.minRequests.'),
  metrics: z.array(recordedMetric).describe('What was judged.'),
  complete: z.boolean().describe('No counts are missing.'),
  missing: z.array(z.string()).optional().describe('Some of the pods whose counts are missing.'),
  reports: z.boolean().describe("The new revision's own sidecars reported in the window."),
  quiet: z.boolean().optional().describe('No requests were to be expected, so that none are judged.'),
  next: revisionCounts.describe('Counts of the new revision.'),
  stable: revisionCounts.describe('Counts of the stable revision.'),
  earlierStable: revisionCounts
    .optional()
    .describe('Counts of the stable revision in the windows before, for one in which it gets no requests.'),
  evidence: z.array(claimEvidence).optional().describe('Evidence of the windows before.'),
  answers: z.array(templateAnswer).optional().describe('Values of MetricTemplates.'),
  usage: z.array(usageAnswer).optional().describe('What pods used.'),
});

export const METRIC_VERDICTS = [
  'Passed',
  'Failed',
  'InsufficientEvidence',
  'InsufficientTraffic',
  'MetricUnavailable',
  'NotComparable',
  'Pending',
] as const;

const metricResult = z.object({
  name: z.string().describe('Name of the metric.'),
  verdict: z.enum(METRIC_VERDICTS).describe('What it says of the revision.'),
  query: z.string().optional().describe('The query as it was sent.'),
  value: z
    .number()
    .optional()
    .describe(
      'Its value for the new revision, the worse of both sides of the call. Of what pods use: percent of the limit, or cores or MiB per pod where it is compared.',
    ),
  stableValue: z.number().optional().describe('Its value for the stable revision, on the same side.'),
  samples: z.int().optional().describe('Requests of the new revision that it is from.'),
  stableSamples: z.int().optional().describe('Requests of the stable revision that it is from.'),
  bound: z
    .number()
    .optional()
    .describe(
      'How good the value may be at best, or how small its distance from the stable one, with the confidence asked for.',
    ),
  evidence: z
    .number()
    .optional()
    .describe('Odds against the revision keeping its bound, to 1; it has failed when they reach evidenceNeeded.'),
  evidenceNeeded: z.number().optional().describe('Odds at which it has failed.'),
  message: z.string().optional().describe('The verdict, for people.'),
});

export const ROUND_VERDICTS = [
  'Passed',
  'Failed',
  'InsufficientEvidence',
  'InsufficientTraffic',
  'IncompleteMetrics',
  'MetricUnavailable',
  'Pending',
] as const;

export const analysisRound = z.object({
  time: z.string().meta({ format: 'date-time', description: 'When it was judged.' }),
  revision: z.string().describe('Revision under analysis.'),
  stableRevision: z.string().describe('Revision it was compared with.'),
  step: z.int().describe('Index of the step.'),
  verdict: z.enum(ROUND_VERDICTS).describe('What it came to.'),
  message: z.string().optional().describe('The verdict, for people.'),
  metrics: z.array(metricResult).optional().describe('What each metric came to.'),
  inputs: roundInputs.describe('All that it was judged by.'),
});

export const releaseEvidence = z.object({
  windows: z.int().describe('Windows that have begun in this release.'),
  since: z.string().describe('When the newest of them began (RFC 3339).'),
  claims: z.array(claimEvidence).describe('Evidence of all windows that were judged.'),
  stable: revisionCounts.optional().describe('What the stable revision counted in them.'),
});

export type SideCounts = z.infer<typeof sideCounts>;
export type RevisionCounts = z.infer<typeof revisionCounts>;
export type RecordedMetric = z.infer<typeof recordedMetric>;
export type TemplateAnswer = z.infer<typeof templateAnswer>;
export type ClaimEvidence = z.infer<typeof claimEvidence>;
export type RoundInputs = z.infer<typeof roundInputs>;
export type MetricResult = z.infer<typeof metricResult>;
export type MetricVerdict = (typeof METRIC_VERDICTS)[number];
export type RoundVerdict = (typeof ROUND_VERDICTS)[number];
export type AnalysisRound = z.infer<typeof analysisRound>;
