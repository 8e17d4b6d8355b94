import { create } from '@bufbuild/protobuf';
import { type AccessLog, AccessLogSchema } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import {
  Config_Histogram_Unit,
  type Config_Tag,
  Config_TagSchema,
  ConfigSchema,
} from '../../generated/envoy/envoy/extensions/access_loggers/stats/v3/stats_pb.js';
import { pack } from './encoding.ts';

/** Tag name to fixed text or Envoy format string. */
export type StatTags = Readonly<Record<string, string>>;

/** Tags that say the same on both sides. Nothing a client may choose freely is a tag: each new value costs memory for good. */
const SHARED_TAGS: StatTags = {
  response_code: '%RESPONSE_CODE%',
  response_flags: '%RESPONSE_FLAGS%',
  request_protocol: '%PROTOCOL%',
  grpc_response_status: '%GRPC_STATUS_NUMBER%',
};

/** The logger that counts every request as Istio's `istio_requests_total` and `istio_request_duration_milliseconds`. */
export function buildStatsLogger(tags: StatTags): AccessLog {
  const encoded = buildTags({ ...tags, ...SHARED_TAGS });
  const config = create(ConfigSchema, {
    statsScope: {},
    counters: [{ stat: { name: 'istio_requests_total', tags: encoded }, valueFixed: 1n }],
    histograms: [
      {
        stat: { name: 'istio_request_duration_milliseconds', tags: encoded },
        unit: Config_Histogram_Unit.Milliseconds,
        valueFormat: '%DURATION%',
      },
    ],
  });
  return create(AccessLogSchema, {
    name: 'envoy.access_loggers.stats',
    configType: { case: 'typedConfig', value: pack(ConfigSchema, config) },
  });
}

/** Tags as a counter or a histogram has them. */
export function buildTags(tags: StatTags): Config_Tag[] {
  return Object.entries(tags).map(([name, valueFormat]) => create(Config_TagSchema, { name, valueFormat }));
}

/** Tags of the calling side. One listener serves all proxies, so what differs between them comes from their environment. */
export function outboundTags(): StatTags {
  return {
    reporter: 'source',
    source_workload_namespace: '%ENVIRONMENT(POD_NAMESPACE)%',
    upstream_cluster: '%UPSTREAM_CLUSTER%',
    destination_principal: '%UPSTREAM_PEER_URI_SAN%',
  };
}

/** What the serving side says of itself. */
export interface InboundTagInput {
  readonly workload: string;
  readonly namespace: string;
  /** Hostname of the service the port belongs to; undefined when there is none. */
  readonly service: string | undefined;
  readonly mutualTls: boolean;
}

/** Tags of the serving side. */
export function inboundTags(input: InboundTagInput): StatTags {
  return {
    reporter: 'destination',
    destination_workload: input.workload || 'unknown',
    destination_workload_namespace: input.namespace,
    destination_service: input.service ?? 'unknown',
    connection_security_policy: input.mutualTls ? 'mutual_tls' : 'none',
    source_principal: input.mutualTls ? '%DOWNSTREAM_PEER_URI_SAN%' : 'unknown',
  };
}
