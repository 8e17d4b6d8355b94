import { DURATION_BUCKETS } from './duration-buckets.ts';
import type { EnvoyConfig } from './envoy-types.ts';
import { REFUSED_METRIC, XDS_CLUSTER } from './names.ts';
import { TCP_PROBE_CLUSTER } from './probe-listeners.ts';

/**
 * What Envoy counts at all. Everything here is also pushed to the operator every five seconds, so the list is short: the mesh's metric
 * families, and what tells whether a sidecar is configured, alive, and speaking TLS.
 */
const COUNTED: readonly EnvoyConfig[] = [
  { contains: 'istio_' },
  { exact: 'server.uptime' },
  { exact: 'server.state' },
  { exact: 'cluster_manager.cds.update_success' },
  { exact: 'cluster_manager.cds.update_rejected' },
  { exact: 'listener_manager.lds.update_success' },
  { exact: 'listener_manager.lds.update_rejected' },
  { exact: `cluster.${XDS_CLUSTER}.upstream_cx_connect_fail` },
  { exact: `cluster.${XDS_CLUSTER}.upstream_cx_active` },
  // The health_check filter that answers TCP probes reads these: uncounted, every such probe would fail.
  { safe_regex: { regex: `cluster\\.${TCP_PROBE_CLUSTER}\\d+\\.membership_(total|healthy|degraded)` } },
  // What policies in dry run would have allowed and denied, and how often limits would have refused.
  { safe_regex: { regex: String.raw`.*\.dry_run/.*\.shadow_(allowed|denied)` } },
  { safe_regex: { regex: String.raw`dry_run/.*\.http_local_rate_limit\.(ok|rate_limited)` } },
  { safe_regex: { regex: String.raw`.*\.ratelimit\.dry_run/.*\.(ok|over_limit)` } },
  // What policies in force refused.
  { contains: REFUSED_METRIC },
  // Lines on that which were left out.
  { exact: 'access_log.process_ratelimit.denied' },
  // One per cluster, and sent only for those that were used: it proves that a hop is TLS.
  { suffix: 'ssl.handshake' },
  { safe_regex: { regex: String.raw`listener\..*\.ssl\.fail_verify_(error|san|no_cert)` } },
  { exact: `cluster.${XDS_CLUSTER}.ssl.fail_verify_error` },
  { exact: `cluster.${XDS_CLUSTER}.ssl.fail_verify_san` },
];

/**
 * The statistics part of the bootstrap, verified with Envoy 1.40. Counters go out cumulative: a lost flush loses nothing. Histograms are
 * those of the last interval, for Envoy knows no other way.
 */
export function buildStatsConfig(): EnvoyConfig {
  return {
    stats_flush_interval: '5s',
    stats_config: {
      stats_matcher: { inclusion_list: { patterns: COUNTED } },
      histogram_bucket_settings: [{ match: { contains: 'istio_request_duration' }, buckets: DURATION_BUCKETS }],
    },
    stats_sinks: [
      {
        name: 'envoy.stat_sinks.metrics_service',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig',
          transport_api_version: 'V3',
          emit_tags_as_labels: true,
          report_counters_as_deltas: false,
          histogram_emit_mode: 'HISTOGRAM',
          batch_size: 1000,
          grpc_service: { envoy_grpc: { cluster_name: XDS_CLUSTER }, timeout: '0s' },
        },
      },
    ],
  };
}
