import { z } from 'zod';
import { canaryAnalysis } from './canary-analysis.ts';
import { canaryDependencies } from './canary-control.ts';
import type { CanaryStatus } from './canary-status.ts';

export const CANARY_KIND = 'Canary';

/** Kinds of workloads that can be released. */
export const TARGET_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

export const canarySpec = z.object({
  targetRef: z
    .object({
      apiVersion: z.string().max(64).default('apps/v1').describe('API version of the target.'),
      kind: z.enum(TARGET_KINDS).describe('Kind of the target.'),
      name: z.string().min(1).max(253).describe('Name of the target, in the namespace of the Canary.'),
    })
    .describe('Whose new revisions are analysed. No copy of it is made.'),
  progressDeadlineSeconds: z
    .int()
    .min(1)
    .default(600)
    .describe('Seconds a step may wait for capacity before the revision is given up.'),
  skipAnalysis: z
    .boolean()
    .default(false)
    .describe('Promote new revisions at once. One that was given up stays so, until it is retried.'),
  suspend: z.boolean().default(false).describe('Leave everything as it is until this is false again.'),
  takeOnlyPod: z
    .boolean()
    .optional()
    .describe(
      'Try new revisions of a StatefulSet or DaemonSet although that takes its only pod out of the stable revision, of which nothing serves meanwhile.',
    ),
  dependsOn: canaryDependencies
    .optional()
    .describe('Canaries of a release of several services: this one waits until they have none under way.'),
  analysis: canaryAnalysis.describe('How a new revision is tried.'),
});

export type CanarySpec = z.infer<typeof canarySpec>;

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
