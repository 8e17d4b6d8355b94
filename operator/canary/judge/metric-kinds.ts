import type { MetricKind } from './metric-kind.ts';
import { REQUEST_COUNT } from './request-count.ts';
import { REQUEST_DURATION } from './request-duration.ts';
import { SUCCESS_RATE } from './success-rate.ts';

/** Metrics that the mesh counts itself, by name; `api/canary-metric.ts` lists the same for the schema. */
export const METRIC_KINDS: ReadonlyMap<string, MetricKind> = new Map(
  [SUCCESS_RATE, REQUEST_DURATION, REQUEST_COUNT].map((kind) => [kind.name, kind]),
);
