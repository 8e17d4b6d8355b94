import type { TrafficMetric } from '../../../api/canary-metric.ts';
import type { MetricKind } from './metric-kind.ts';
import { REQUEST_COUNT } from './request-count.ts';
import { REQUEST_DURATION } from './request-duration.ts';
import { SUCCESS_RATE } from './success-rate.ts';

const KINDS: Readonly<Record<TrafficMetric, MetricKind>> = {
  'request-success-rate': SUCCESS_RATE,
  'request-duration': REQUEST_DURATION,
  'request-count': REQUEST_COUNT,
};

/** Metrics that the mesh counts itself, by name. */
export const METRIC_KINDS: ReadonlyMap<string, MetricKind> = new Map(Object.entries(KINDS));
