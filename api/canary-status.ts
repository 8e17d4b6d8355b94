import { z } from 'zod';
import { controlStatus } from './canary-control.ts';
import { releaseHistory } from './canary-history.ts';
import { analysisRound, releaseEvidence } from './canary-round.ts';
import { conditions } from './condition.ts';

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
    .describe(
      'Revision (label pod-template-hash, or controller-revision-hash, of its pods) that serves; always in ungatedRevisions.',
    ),
  canaryRevision: z.string().optional().describe('Revision under analysis; absent when there is none.'),
  ungatedRevisions: z
    .array(z.string())
    .optional()
    .describe('Revisions whose pods get no readiness gate, and whose gates are opened. Empty: no gate at all.'),
  weight: z.int().min(0).max(100).optional().describe('Percent of the requests that go to canaryRevision.'),
  matched: z.boolean().optional().describe('Whether requests that spec.analysis.match matches go to canaryRevision.'),
  mirrorWeight: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe('Percent of the requests that are copied to canaryRevision.'),
  step: z.int().optional().describe('Index into the list of steps; a step of copies comes before the first weight.'),
  iterations: z.int().optional().describe('Checks that have passed at the present step.'),
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
  target: z
    .string()
    .optional()
    .describe(
      'Name of the target this status speaks of; StatefulSets and DaemonSets after their kind: StatefulSet/NAME.',
    ),
  lastTransitionTime: z.string().optional().describe('When the phase last changed (RFC 3339).'),
  metrics: windowFigures
    .optional()
    .describe("The canary's figures in the last window, as the printer columns show them."),
  stableMetrics: windowFigures.optional().describe("The stable revision's figures in the same window."),
  verdict: z
    .string()
    .optional()
    .describe('One word on the last check: Passed, Failed, InsufficientTraffic, AwaitingCapacity, ...'),
  rounds: z
    .array(analysisRound)
    .optional()
    .describe('The last five checks, newest first, with all that they were judged by.'),
  evidence: releaseEvidence.optional().describe('What the checks of this release have gathered.'),
  history: releaseHistory.optional().describe('The last ten releases, newest first.'),
  ...controlStatus,
  conditions: conditions.optional(),
});

export type CanaryStatus = z.infer<typeof canaryStatus>;
export type CanaryPhase = (typeof CANARY_PHASES)[number];
