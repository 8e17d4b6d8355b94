import { z } from 'zod';
import { duration } from './duration.ts';
import { withRules } from './rule.ts';

/** Metrics that the mesh counts itself. */
const TRAFFIC_METRICS = ['request-success-rate', 'request-duration', 'request-count'] as const;
export type TrafficMetric = (typeof TRAFFIC_METRICS)[number];

/** Metrics of what pods use, which the cluster's metrics server tells. */
const USAGE_METRICS = ['cpu-usage', 'memory-usage'] as const;
export type UsageMetric = (typeof USAGE_METRICS)[number];

const BUILT_IN_METRICS: readonly string[] = [...TRAFFIC_METRICS, ...USAGE_METRICS];

/** Whether a metric, unless it has a MetricTemplate, is of what pods use. */
export function isUsageMetric(name: string): name is UsageMetric {
  return (USAGE_METRICS as readonly string[]).includes(name);
}

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
    maxIncrease: bound.describe(
      'How many percent more than of the stable revision it may be. cpu-usage is compared in cores, per pod and per request, and fails where it is more by both; memory-usage in bytes per pod. Less than 0.01 cores or 8 MiB a pod is no difference.',
    ),
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
      "request-success-rate: share of requests that got an answer below 500 and no gRPC status of the kind that is the server's fault, in percent. request-duration: a percentile, in ms. request-count: requests that callers sent in the window. cpu-usage and memory-usage: what the revision's pods use, in percent of the limit (without one, of the request) of each pod's fullest container, the mean over pods and window; from metrics.k8s.io, by two samples of each pod that begin in the window, which take up to a minute. A sample that begins before its pod was ready does not count. With templateRef any name.",
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
      "How long this metric is watched before it is judged, and the {{ interval }} of a template; the analysis' interval unless told, and where that is longer. A step takes as long as its longest.",
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

const isBuiltIn = ({ name }: Metric): boolean => BUILT_IN_METRICS.includes(name);

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
      'comparedToStable of request-success-rate takes maxDecrease, and of request-duration, cpu-usage and memory-usage maxIncrease: the other way is an improvement',
    holds: ({ comparedToStable: compared, templateRef, name }) =>
      compared === undefined ||
      templateRef !== undefined ||
      name === 'request-count' ||
      (name === 'request-success-rate' ? compared.maxIncrease : compared.maxDecrease) === undefined,
  },
  {
    cel: `!has(self.thresholdRange) || !has(self.thresholdRange.min) || has(self.templateRef) || !(self.name in ['${USAGE_METRICS.join("', '")}'])`,
    message: 'thresholdRange of cpu-usage and memory-usage takes max: to use less is no fault',
    holds: ({ thresholdRange: range, templateRef, name }) =>
      range?.min === undefined || templateRef !== undefined || !isUsageMetric(name),
  },
  {
    cel: '!has(self.templateVariables) || has(self.templateRef)',
    message: 'templateVariables are for templateRef',
    holds: ({ templateVariables, templateRef }) => templateVariables === undefined || templateRef !== undefined,
  },
]);

export type CanaryMetric = z.infer<typeof canaryMetric>;
