import { create } from '@bufbuild/protobuf';
import type { MetricFamily } from '../../api/telemetry-metrics.ts';
import type { AccessLog, AccessLogFilter } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import {
  type Config_Counter,
  Config_CounterSchema,
  Config_Histogram_Unit,
  Config_HistogramSchema,
  type Config_Tag,
  Config_TagSchema,
  ConfigSchema,
} from '../../generated/envoy/envoy/extensions/access_loggers/stats/v3/stats_pb.js';
import type { TaggedMetric } from '../mesh/telemetry-metrics.ts';
import { buildAccessLog } from './access-log.ts';
import { type StatOf, taggedStat } from './tagged-stats.ts';

/** Tag name to fixed text or Envoy format string. */
export type StatTags = Readonly<Record<string, string>>;

/**
 * Each logger is bounded: nothing that a caller chooses is a tag, but a server may answer with any gRPC status. Each set of tags of HTTP is one counter and
 * three histograms. What no longer fits is counted as `server.stats_overflow.counter` and `.histogram`. (A scope for all loggers would outlive changes
 * of listeners, but with one Envoy 1.40 crashes when it has validated a configuration.)
 */
const SCOPE = { maxCounters: 5000, maxHistograms: 3000 };

/** Tags of requests that say the same on both sides. `response_flags` is the last tag of all: by it the metrics page finds where they end. */
const REQUEST_TAGS: StatTags = {
  response_code: '%RESPONSE_CODE%',
  grpc_response_status: '%GRPC_STATUS_NUMBER%',
  response_flags: '%RESPONSE_FLAGS%',
};

/** What is counted of the sizes and durations of requests, and from what. */
const HISTOGRAMS: readonly (readonly [MetricFamily, Config_Histogram_Unit, string])[] = [
  ['istio_request_duration_milliseconds', Config_Histogram_Unit.Milliseconds, '%DURATION%'],
  ['istio_request_bytes', Config_Histogram_Unit.Bytes, '%BYTES_RECEIVED%'],
  ['istio_response_bytes', Config_Histogram_Unit.Bytes, '%BYTES_SENT%'],
];

/**
 * The loggers that count every request: how many, how long they took (ms), and the bytes of their bodies and of the answers'.
 * @param tagged what is counted once more, by a logger of its own: what it has no room for the others have
 */
export function buildStatsLoggers(tags: StatTags, tagged: readonly TaggedMetric[] = []): AccessLog[] {
  const encoded = buildTags({ ...tags, ...REQUEST_TAGS });
  const loggers = [
    buildRequestLogger((name) => ({ name, tags: encoded })),
    buildRequestLogger(taggedStat(encoded, tagged)),
  ];
  return loggers.filter((logger) => logger !== undefined);
}

function buildRequestLogger(statOf: StatOf): AccessLog | undefined {
  const counters = buildCounters(statOf, [['istio_requests_total', 1n]]);
  const histograms = HISTOGRAMS.flatMap(([family, unit, valueFormat]) => {
    const stat = statOf(family);
    return stat === undefined
      ? []
      : [create(Config_HistogramSchema, { stat: { ...stat, tags: [...stat.tags] }, unit, valueFormat })];
  });
  if (counters.length + histograms.length === 0) return undefined;
  return buildAccessLog('stats', ConfigSchema, create(ConfigSchema, { statsScope: SCOPE, counters, histograms }));
}

/** Counters: by how much each entry of the log grows them, or the format string that says so. */
export function buildCounters(
  statOf: StatOf,
  counted: readonly (readonly [MetricFamily, bigint | string])[],
): Config_Counter[] {
  return counted.flatMap(([family, by]) => {
    const stat = statOf(family);
    return stat === undefined ? [] : [buildCounter(stat.name, stat.tags, by)];
  });
}

/** A counter. @param by how much each entry of the log grows it, or the format string that says so */
export function buildCounter(name: string, tags: readonly Config_Tag[], by: bigint | string): Config_Counter {
  const value = typeof by === 'string' ? { valueFormat: by } : { valueFixed: by };
  return create(Config_CounterSchema, { stat: { name, tags: [...tags] }, ...value });
}

/** A logger of counters. @param filter which entries of the log count */
export function buildCountersLogger(counters: readonly Config_Counter[], filter: AccessLogFilter): AccessLog {
  const config = create(ConfigSchema, { statsScope: SCOPE, counters: [...counters] });
  return buildAccessLog('stats', ConfigSchema, config, filter);
}

/** Tags as a counter or a histogram has them. */
export function buildTags(tags: StatTags): Config_Tag[] {
  return Object.entries(tags).map(([name, valueFormat]) => create(Config_TagSchema, { name, valueFormat }));
}

/**
 * Tags of the calling side. One listener serves all proxies: what is of the proxy itself is no tag, it is written on its metrics page
 * (`proxy/metrics-page.ts`). `destination_peer` is the subject of the server's certificate (`proxy/peer-subject.ts`).
 */
export function outboundTags(): StatTags {
  return {
    reporter: 'source',
    upstream_cluster: '%UPSTREAM_CLUSTER%',
    destination_principal: '%UPSTREAM_PEER_URI_SAN%',
    destination_peer: '%UPSTREAM_PEER_SUBJECT%',
  };
}

/** What the serving side says of itself. */
export interface InboundTagInput {
  /** Hostname of the service the port belongs to; undefined when there is none. */
  readonly service: string | undefined;
  readonly mutualTls: boolean;
}

/** Tags of the serving side; `source_peer` is the subject of the caller's certificate. */
export function inboundTags({ service = 'unknown', mutualTls }: InboundTagInput): StatTags {
  const shared = { reporter: 'destination', destination_service: service };
  if (!mutualTls) return { ...shared, connection_security_policy: 'none', source_principal: 'unknown' };
  return {
    ...shared,
    connection_security_policy: 'mutual_tls',
    source_principal: '%DOWNSTREAM_PEER_URI_SAN%',
    source_peer: '%DOWNSTREAM_PEER_SUBJECT%',
  };
}
