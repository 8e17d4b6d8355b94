import { create } from '@bufbuild/protobuf';
import type { FileAccessLog, OtelAccessLog } from '../../api/telemetry-provider.ts';
import { type AccessLog, AccessLogSchema } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { OpenTelemetryAccessLogConfigSchema } from '../../generated/envoy/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js';
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from '../../generated/envoy/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import { AnyValueSchema, KeyValueListSchema } from '../../generated/envoy/opentelemetry/proto/common/v1/common_pb.js';
import type { AccessLogTo } from '../mesh/telemetry.ts';
import { matching } from './access-log-filters.ts';
import { buildLineFormat, DEFAULT_TEXT } from './access-log-format.ts';
import { pack } from './encoding.ts';
import { toldCluster } from './told-clusters.ts';
import { buildResourceDetectors } from './trace-resource.ts';

/** What of a proxy its loggers depend on. */
export interface LoggedProxy {
  /** Its environment says which service it is. */
  readonly namesItself: boolean;
}

/** The loggers of a listener for whom requests and connections are told to; one for each. */
export function buildAccessLoggers(logs: readonly AccessLogTo[], proxy: LoggedProxy): AccessLog[] {
  return logs.flatMap((log) => {
    const { envoyFileAccessLog, envoyOtelAls } = log.provider;
    const cluster = toldCluster(log);
    const built =
      envoyFileAccessLog !== undefined
        ? buildLines(envoyFileAccessLog)
        : envoyOtelAls !== undefined && cluster !== undefined
          ? buildOtel(envoyOtelAls, cluster, proxy)
          : undefined;
    if (built === undefined) return [];
    if (log.filter !== undefined) built.filter = matching(log.filter);
    return [built];
  });
}

function buildLines(settings: FileAccessLog): AccessLog {
  const accessLogFormat = { case: 'logFormat', value: buildLineFormat(settings) } as const;
  const typedConfig =
    settings.path === '/dev/stdout'
      ? pack(StdoutAccessLogSchema, create(StdoutAccessLogSchema, { accessLogFormat }))
      : pack(StderrAccessLogSchema, create(StderrAccessLogSchema, { accessLogFormat }));
  const name = settings.path === '/dev/stdout' ? 'envoy.access_loggers.stdout' : 'envoy.access_loggers.stderr';
  return create(AccessLogSchema, { name, configType: { case: 'typedConfig', value: typedConfig } });
}

/** Sent in the background: while nobody takes them they are dropped, and no request waits. */
function buildOtel({ logName, logFormat }: OtelAccessLog, cluster: string, { namesItself }: LoggedProxy): AccessLog {
  const body = logFormat?.text ?? (logFormat?.labels === undefined ? DEFAULT_TEXT.trimEnd() : '');
  const labels = Object.entries(logFormat?.labels ?? {});
  const config = create(OpenTelemetryAccessLogConfigSchema, {
    grpcService: { targetSpecifier: { case: 'envoyGrpc', value: { clusterName: cluster } } },
    logName,
    body: textValue(body),
    attributes: create(KeyValueListSchema, {
      values: labels.map(([key, value]) => ({ key, value: textValue(value) })),
    }),
    resourceDetectors: buildResourceDetectors(namesItself),
  });
  return create(AccessLogSchema, {
    name: 'envoy.access_loggers.open_telemetry',
    configType: { case: 'typedConfig', value: pack(OpenTelemetryAccessLogConfigSchema, config) },
  });
}

function textValue(text: string) {
  return create(AnyValueSchema, { value: { case: 'stringValue', value: text } });
}
