import type { TelemetryMetrics } from './telemetry.ts';

/** The standard metrics that sidecars count, by Telemetry's names: the families of Prometheus that they are. */
export const METRIC_FAMILIES = {
  REQUEST_COUNT: 'istio_requests_total',
  REQUEST_DURATION: 'istio_request_duration_milliseconds',
  REQUEST_SIZE: 'istio_request_bytes',
  RESPONSE_SIZE: 'istio_response_bytes',
  TCP_OPENED_CONNECTIONS: 'istio_tcp_connections_opened_total',
  TCP_CLOSED_CONNECTIONS: 'istio_tcp_connections_closed_total',
  TCP_SENT_BYTES: 'istio_tcp_sent_bytes_total',
  TCP_RECEIVED_BYTES: 'istio_tcp_received_bytes_total',
} as const;

export type MetricFamily = (typeof METRIC_FAMILIES)[keyof typeof METRIC_FAMILIES];

const ALL: readonly MetricFamily[] = Object.values(METRIC_FAMILIES);

const END = ['workload', 'workload_namespace', 'canonical_service', 'canonical_revision', 'app', 'version', 'cluster'];

/** Labels that metrics have of themselves. */
export const METRIC_LABELS: ReadonlySet<string> = new Set([
  ...['source', 'destination'].flatMap((side) => [...END, 'principal'].map((label) => `${side}_${label}`)),
  ...['reporter', 'upstream_cluster', 'destination_service', 'destination_service_name'],
  ...['destination_service_namespace', 'response_code', 'grpc_response_status', 'request_protocol', 'response_flags'],
  'connection_security_policy',
]);

type Selector = NonNullable<NonNullable<TelemetryMetrics['overrides']>[number]['match']>;

/**
 * The families that an override is about. A metric of one's own may be a standard one by its name in Prometheus, as Istio has it.
 * @returns none where sidecars count no such metric
 */
export function familiesOf({ metric = 'ALL_METRICS', customMetric }: Selector = {}): readonly MetricFamily[] {
  if (customMetric !== undefined) {
    return ALL.filter((family) => family === customMetric || family === `istio_${customMetric}`);
  }
  if (isAboutAll({ metric })) return ALL;
  const found = Object.entries(METRIC_FAMILIES).find(([name]) => name === metric);
  return found === undefined ? [] : [found[1]];
}

/** Whether an override is about all metrics, as one is that names none. */
export function isAboutAll({ metric = 'ALL_METRICS', customMetric }: Selector = {}): boolean {
  return customMetric === undefined && metric === 'ALL_METRICS';
}

/** Why an override has no effect, as no sidecar counts what it is about, and the field that says so; undefined where it has. Without a full stop at the end. */
export function uncountedMetric(
  match: Selector = {},
): { readonly field: string; readonly problem: string } | undefined {
  if (familiesOf(match).length > 0) return undefined;
  const { metric, customMetric } = match;
  if (customMetric === undefined) {
    return { field: 'match.metric', problem: `is not in force: messages of gRPC (${metric}) are not counted` };
  }
  return { field: 'match.customMetric', problem: `is not in force: sidecars count no metric "${customMetric}"` };
}
