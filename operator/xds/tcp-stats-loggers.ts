import { create } from '@bufbuild/protobuf';
import {
  type AccessLog,
  type AccessLogFilter,
  AccessLogFilterSchema,
} from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { AccessLogType } from '../../generated/envoy/envoy/data/accesslog/v3/accesslog_pb.js';
import type { TaggedMetric } from '../mesh/telemetry-metrics.ts';
import { allOf, anyOf, flagged } from './access-log-filters.ts';
import { buildCounters, buildCountersLogger, buildTags, type StatTags } from './stats-logger.ts';
import { type StatOf, taggedStat } from './tagged-stats.ts';

/**
 * Envoy's flags of connections that never reached a server: all attempts failed, no endpoint, too many connections, no cluster, no route. (UF is of one
 * attempt, and the next may succeed.)
 */
const NEVER_CONNECTED = ['URX', 'UH', 'UO', 'NC', 'NR'];

/**
 * The loggers that count opaque connections as Istio does: those opened when they reach the server (or end without), and with their end that, and the
 * bytes of both directions. `tcp_proxy` must log connections when they are made (`flush_access_log_on_connected`).
 * @param tagged what is counted once more, by loggers of its own
 */
export function buildTcpStatsLoggers(tags: StatTags, tagged: readonly TaggedMetric[] = []): AccessLog[] {
  const encoded = buildTags({ ...tags, response_flags: '%RESPONSE_FLAGS%' });
  return [
    ...buildConnectionLoggers((name) => ({ name, tags: encoded })),
    ...buildConnectionLoggers(taggedStat(encoded, tagged)),
  ];
}

function buildConnectionLoggers(statOf: StatOf): AccessLog[] {
  const opening = buildCounters(statOf, [['istio_tcp_connections_opened_total', 1n]]);
  const ending = buildCounters(statOf, [
    ['istio_tcp_connections_closed_total', 1n],
    // The words are the server's, on both sides: it receives what the client sends.
    ['istio_tcp_received_bytes_total', '%BYTES_RECEIVED%'],
    ['istio_tcp_sent_bytes_total', '%BYTES_SENT%'],
  ]);
  return [
    ...(opening.length === 0 ? [] : [buildCountersLogger(opening, opened())]),
    ...(ending.length === 0 ? [] : [buildCountersLogger(ending, at(AccessLogType.TcpConnectionEnd))]),
  ];
}

function opened(): AccessLogFilter {
  const ended = allOf(at(AccessLogType.TcpConnectionEnd), flagged(NEVER_CONNECTED));
  return anyOf(at(AccessLogType.TcpUpstreamConnected), ended);
}

function at(type: AccessLogType): AccessLogFilter {
  return create(AccessLogFilterSchema, { filterSpecifier: { case: 'logTypeFilter', value: { types: [type] } } });
}
