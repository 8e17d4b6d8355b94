import { z } from 'zod';

const revisionUsage = z.object({
  pods: z.int().describe('Pods that have served long enough to be measured.'),
  measured: z.int().describe('Those of them with two samples in the window.'),
  missing: z.array(z.string()).optional().describe('Some of those without.'),
  mean: z.number().optional().describe('What a pod used on average: cores, or bytes.'),
  share: z.number().optional().describe('The same in percent of the limit of its fullest container.'),
  unlimited: z.string().optional().describe('Field of the pods that must be set for there to be such a percentage.'),
});

export const usageAnswer = z.object({
  metric: z.string().describe('Name of the metric.'),
  next: revisionUsage.describe('Of the new revision.'),
  stable: revisionUsage.describe('Of the stable one.'),
  reason: z.string().optional().describe('Why nothing newer is known, in a word.'),
  error: z.string().optional().describe('Why nothing newer is known.'),
});

export type RevisionUsage = z.infer<typeof revisionUsage>;
export type UsageAnswer = z.infer<typeof usageAnswer>;
