import { z } from 'zod';

/** A Kubernetes condition (metav1.Condition). */
export const condition = z.object({
  type: z.string().max(316).describe('What the condition is about, in CamelCase.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().max(1024).describe('Why, in one CamelCase word for programs.'),
  message: z.string().max(32768).describe('Why, for people.'),
  observedGeneration: z.int().min(0).optional().describe('metadata.generation this was judged from.'),
  lastTransitionTime: z
    .string()
    .meta({ format: 'date-time', description: 'When the status last went from one value to another.' }),
});

/** Conditions of a resource of ours; server-side apply merges them by `type`. */
export const conditions = z
  .array(condition)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
  .describe('What the controllers found, one entry per type.');

export type Condition = z.infer<typeof condition>;
