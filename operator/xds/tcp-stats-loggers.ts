import { create } from '@bufbuild/protobuf';
import {
  type AccessLog,
  type AccessLogFilter,
  AccessLogFilterSchema,
} from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { AccessLogType } from '../../generated/envoy/envoy/data/accesslog/v3/accesslog_pb.js';
import { allOf, anyOf, flagged } from './access-log-filters.ts';
import { buildCounter, buildCountersLogger, buildTags, type StatTags } from './stats-logger.ts';

/**
 * Envoy's flags of connections that never reached a server: all attempts failed, no endpoint, too many connections, no cluster, no route. (UF is of one
 * attempt, and the next may succeed.)
 */
const NEVER_CONNECTED = ['URX', 'UH', 'UO', 'NC', 'NR'];

/**
 * The loggers that count opaque connections as Istio does: those opened when they reach the server (or end without), and with their end that, and the
 * bytes of both directions. `tcp_proxy` must log connections when they are made (`flush_access_log_on_connected`).
 */
export function buildTcpStatsLoggers(tags: StatTags): AccessLog[] {
  const encoded = buildTags({ ...tags, response_flags: '%RESPONSE_FLAGS%' });
  return [
    buildCountersLogger([buildCounter('istio_tcp_connections_opened_total', encoded, 1n)], opened()),
    buildCountersLogger(
      [
        buildCounter('istio_tcp_connections_closed_total', encoded, 1n),
        // The words are the server's, on both sides: it receives what the client sends.
        buildCounter('istio_tcp_received_bytes_total', encoded, '%BYTES_RECEIVED%'),
        buildCounter('istio_tcp_sent_bytes_total', encoded, '%BYTES_SENT%'),
      ],
      at(AccessLogType.TcpConnectionEnd),
    ),
  ];
}

function opened(): AccessLogFilter {
  const ended = allOf(at(AccessLogType.TcpConnectionEnd), flagged(NEVER_CONNECTED));
  return anyOf(at(AccessLogType.TcpUpstreamConnected), ended);
}

function at(type: AccessLogType): AccessLogFilter {
  return create(AccessLogFilterSchema, { filterSpecifier: { case: 'logTypeFilter', value: { types: [type] } } });
}
