import { z } from 'zod';
import { duration } from './duration.ts';
import { withRules } from './rule.ts';

/** Metrics that the mesh counts itself. */
export const BUILT_IN_METRICS = ['request-success-rate', 'request-duration', 'request-count'] as const;
export type BuiltInMetric = (typeof BUILT_IN_METRICS)[number];

const bound = z.number().min(0).optional();

const thresholdRange = withRules(z.object({ min: z.number().optional(), max: z.number().optional() }), [
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
]);

const comparedToStable = withRules(
  z.object({
    maxDecrease: bound.describe(
      'How much less than of the stable revision it may be: percentage points of request-success-rate, percent of everything else.',
    ),
    maxIncrease: bound.describe('How many percent more than of the stable revision it may be.'),
  }),
  [
    {
      cel: 'has(self.maxDecrease) || has(self.maxIncrease)',
      message: 'give maxDecrease, maxIncrease or both',
      holds: ({ maxDecrease, maxIncrease }) => maxDecrease !== undefined || maxIncrease !== undefined,
    },
  ],
);

const metric = z.object({
  name: z
    .string()
    .min(1)
    .max(63)
    .describe(
      "request-success-rate: share of requests that got an answer below 500 and no gRPC status of the kind that is the server's fault, in percent. request-duration: a percentile, in ms. request-count: requests that callers sent in the window. With templateRef any name.",
    ),
  percentile: z
    .number()
    .min(50)
    .max(99.9)
    .optional()
    .describe('Which percentile request-duration is about; 99 unless told.'),
  interval: duration
    .optional()
    .describe(
      "How long this metric is watched before it is judged, and the {{ interval }} of a template; the analysis' interval unless told. A step takes as long as its longest.",
    ),
  thresholdRange: thresholdRange
    .optional()
    .describe('The check passes while the value is within this range, bounds included.'),
  comparedToStable: comparedToStable
    .optional()
    .describe(
      'The check passes unless the revision is worse than the stable one by more than this: what chance can explain is no difference.',
    ),
  templateRef: z
    .object({
      name: z.string().min(1).max(253).describe('Name of a MetricTemplate.'),
      namespace: z
        .string()
        .min(1)
        .max(63)
        .optional()
        .describe("Its namespace: that of the Canary unless told, else the mesh's root namespace alone."),
    })
    .optional()
    .describe(
      'A MetricTemplate whose query gives the value. It has no samples, so one value outside of the range is a failed check.',
    ),
  templateVariables: z
    .record(z.string().max(63), z.string().max(1024))
    .optional()
    .describe('What {{ variables.NAME }} stands for in the query.'),
});

type Metric = z.infer<typeof metric>;

const isBuiltIn = ({ name }: Metric): boolean => (BUILT_IN_METRICS as readonly string[]).includes(name);

export const canaryMetric = withRules(metric, [
  {
    cel: `has(self.templateRef) || self.name in ['${BUILT_IN_METRICS.join("', '")}']`,
    message: `name must be one of ${BUILT_IN_METRICS.join(', ')}, or templateRef must name a MetricTemplate`,
    holds: (one) => one.templateRef !== undefined || isBuiltIn(one),
  },
  {
    cel: 'has(self.thresholdRange) || has(self.comparedToStable)',
    message: 'give thresholdRange, comparedToStable or both',
    holds: ({ thresholdRange: range, comparedToStable: compared }) => range !== undefined || compared !== undefined,
  },
  {
    cel: "!has(self.percentile) || (self.name == 'request-duration' && !has(self.templateRef))",
    message: 'percentile is for request-duration',
    holds: ({ percentile, name, templateRef }) =>
      percentile === undefined || (name === 'request-duration' && templateRef === undefined),
  },
  {
    cel: "!has(self.comparedToStable) || has(self.templateRef) || self.name == 'request-count' || (self.name == 'request-success-rate' ? !has(self.comparedToStable.maxIncrease) : !has(self.comparedToStable.maxDecrease))",
    message:
      'comparedToStable of request-success-rate takes maxDecrease, and of request-duration maxIncrease: the other way is an improvement',
    holds: ({ comparedToStable: compared, templateRef, name }) =>
      compared === undefined ||
      templateRef !== undefined ||
      name === 'request-count' ||
      (name === 'request-success-rate' ? compared.maxIncrease : compared.maxDecrease) === undefined,
  },
  {
    cel: '!has(self.templateVariables) || has(self.templateRef)',
    message: 'templateVariables are for templateRef',
    holds: ({ templateVariables, templateRef }) => templateVariables === undefined || templateRef !== undefined,
  },
]);

export type CanaryMetric = z.infer<typeof canaryMetric>;
