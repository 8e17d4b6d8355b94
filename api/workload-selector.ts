import { z } from 'zod';
import type { Findings } from './field-check.ts';

/** Istio's WorkloadSelector, by which ServiceEntry and Sidecar choose pods and WorkloadEntries of their namespace. */
export const workloadSelector = z.object({
  labels: z.record(z.string(), z.string()).optional().describe('Labels the workloads must have.'),
});

export type WorkloadSelector = z.infer<typeof workloadSelector>;

/** Reports labels that Istio takes in no selector. */
export function checkWorkloadSelector(found: Findings, field: string, { labels = {} }: WorkloadSelector): void {
  for (const [key, value] of Object.entries(labels)) {
    if (key === '') found.error(`${field}.labels`, 'must have no empty key; write the name of a label');
    if (key.includes('*') || value.includes('*')) {
      found.error(`${field}.labels[${key}]`, 'must have no wildcard; write key and value in full');
    }
  }
}
