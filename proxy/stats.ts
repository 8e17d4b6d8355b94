import { DURATION_BUCKETS, SIZE_BUCKETS } from './duration-buckets.ts';
import type { EnvoyConfig } from './envoy-types.ts';
import { REFUSED_METRIC, XDS_CLUSTER } from './names.ts';
import { TCP_PROBE_CLUSTER } from './probe-listeners.ts';

/**
 * What Envoy counts at all. Everything here is also pushed to the operator every five seconds, so the list is short: the mesh's metric
 * families, and what tells whether a sidecar is configured, alive, and speaking TLS.
 */
const COUNTED: readonly EnvoyConfig[] = [
  { contains: 'istio_' },
  // What was not counted of calls, as it would be too many series.
  { prefix: 'server.stats_overflow.' },
  { exact: 'server.uptime' },
  { exact: 'server.state' },
  // Resident, in bytes.
  { exact: 'server.memory_physical_size' },
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
  // What was closed as strangers held all connections of a plaintext port.
  { safe_regex: { regex: String.raw`connection_limit\.heddle-.*\.limited_connections` } },
  // One per cluster, and sent only for those that were used: it proves that a hop is TLS.
  { suffix: 'ssl.handshake' },
  { safe_regex: { regex: String.raw`listener\..*\.ssl\.fail_verify_(error|san|no_cert)` } },
  { exact: `cluster.${XDS_CLUSTER}.ssl.fail_verify_error` },
  { exact: `cluster.${XDS_CLUSTER}.ssl.fail_verify_san` },
  // How full: of clusters that are used (`deferred_stat_options`), and of the proxy's listeners and HTTP connections.
  ...['rq_active', 'rq_pending_active', 'rq_pending_overflow', 'cx_active', 'cx_overflow'].map((name) => ({
    suffix: `.upstream_${name}`,
  })),
  { safe_regex: { regex: String.raw`http\.(in|out)bound_.*\.downstream_(cx|rq)_active` } },
  // Not of each worker.
  { safe_regex: { regex: String.raw`listener\.[0-9a-f._:\[\]]+\.downstream_cx_active` } },
];

/** Envoy's own label of clusters ends at the first dot of a host's name; this one, Istio's, is whole. */
const CLUSTER_NAME = {
  tag_name: 'cluster_name',
  regex: String.raw`^cluster\.((.+?)\.)(?:upstream_(?:rq|cx)_|ssl\.)`,
};

/**
 * The statistics part of the bootstrap, verified with Envoy 1.40. Counters go out cumulative: a lost flush loses nothing. Histograms are
 * those of the last interval, for Envoy knows no other way.
 */
export function buildStatsConfig(): EnvoyConfig {
  return {
    stats_flush_interval: '5s',
    stats_config: {
      stats_matcher: { inclusion_list: { patterns: COUNTED } },
      stats_tags: [CLUSTER_NAME],
      histogram_bucket_settings: [
        { match: { contains: 'istio_request_duration' }, buckets: DURATION_BUCKETS },
        { match: { safe_regex: { regex: '.*istio_(request|response)_bytes.*' } }, buckets: SIZE_BUCKETS },
      ],
    },
    // A cluster that nothing was sent to costs no counters.
    deferred_stat_options: { enable_deferred_creation_stats: true },
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
