import { z } from 'zod';
import { withRules } from './rule.ts';

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

export type CanaryMetric = z.infer<typeof canaryMetric>;
