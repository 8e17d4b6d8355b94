import { z } from 'zod';
import { condition } from './condition.ts';
import { duration } from './duration.ts';

export const CANARY_GROUP = 'heddle.dev';
export const CANARY_VERSION = 'v1alpha1';
export const CANARY_KIND = 'Canary';

const percent = z.int().min(1).max(100);

export const canaryMetric = z.object({
  name: z.enum(['request-success-rate', 'request-duration']),
  thresholdRange: z.object({ min: z.number().min(0).optional(), max: z.number().min(0).optional() }),
});

export const canaryAnalysis = z.object({
  interval: duration,
  threshold: z.int().min(1).default(5),
  stepWeight: percent.optional(),
  maxWeight: percent.optional(),
  stepWeights: z.array(percent).min(1).max(100).optional(),
  minRequests: z.int().min(1).default(10),
  metrics: z.array(canaryMetric).max(10).default([]),
});

export const canarySpec = z.object({
  targetRef: z.object({
    apiVersion: z.string().default('apps/v1'),
    kind: z.enum(['Deployment']),
    name: z.string().min(1).max(253),
  }),
  progressDeadlineSeconds: z.int().min(1).default(600),
  skipAnalysis: z.boolean().default(false),
  suspend: z.boolean().default(false),
  analysis: canaryAnalysis,
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

export const canaryStatus = z.object({
  observedGeneration: z.int().optional(),
  phase: z.enum(CANARY_PHASES).optional(),
  /** Revision (pod-template-hash) that serves; always in `ungatedRevisions`. */
  stableRevision: z.string().optional(),
  /** Revision under analysis; absent when there is none. */
  canaryRevision: z.string().optional(),
  /** Revisions whose pods get no gate, and whose gates are opened. Empty: no gate at all. */
  ungatedRevisions: z.array(z.string()).optional(),
  /** Percent of requests that go to `canaryRevision`. */
  weight: z.int().min(0).max(100).optional(),
  /** Index into the list of weights. */
  step: z.int().optional(),
  failedChecks: z.int().optional(),
  /** Revision that failed last; it is not tried again until the template changes. */
  failedRevision: z.string().optional(),
  /** When the present step's window began (RFC 3339). */
  stepStartTime: z.string().optional(),
  lastTransitionTime: z.string().optional(),
  /** The last window's figures, as the printer columns show them. */
  metrics: z
    .object({ successRate: z.string().optional(), p99: z.string().optional(), requests: z.int().optional() })
    .optional(),
  /** One word on the last check, e.g. Passed, Failed, InsufficientTraffic, AwaitingCapacity. */
  verdict: z.string().optional(),
  conditions: z.array(condition).optional(),
});

export type CanarySpec = z.infer<typeof canarySpec>;
export type CanaryAnalysis = z.infer<typeof canaryAnalysis>;
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
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
    finalizers?: string[];
  };
  spec: CanarySpec;
  status?: CanaryStatus;
}
