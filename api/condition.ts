import { z } from 'zod';

/** A Kubernetes condition (metav1.Condition). */
export const condition = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  observedGeneration: z.int().optional(),
  lastTransitionTime: z.string(),
});

export type Condition = z.infer<typeof condition>;
