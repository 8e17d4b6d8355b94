import { create } from '@bufbuild/protobuf';
import type { FileAccessLog, OtelAccessLog } from '../../api/telemetry-provider.ts';
import type { AccessLog, AccessLogFilter } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { OpenTelemetryAccessLogConfigSchema } from '../../generated/envoy/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js';
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from '../../generated/envoy/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import { AnyValueSchema, KeyValueListSchema } from '../../generated/envoy/opentelemetry/proto/common/v1/common_pb.js';
import type { AccessLogTo } from '../mesh/telemetry.ts';
import { buildAccessLog } from './access-log.ts';
import { matching } from './access-log-filters.ts';
import { buildLineFormat, DEFAULT_TEXT } from './access-log-format.ts';
import { toldCluster } from './told-clusters.ts';
import { buildResourceDetectors } from './trace-resource.ts';

/** What of a proxy its loggers depend on. */
export interface LoggedProxy {
  /** Its environment says which service it is. */
  readonly namesItself: boolean;
}

/** The loggers of a listener for whom requests and connections are told to; one for each. */
export function buildAccessLoggers(logs: readonly AccessLogTo[], proxy: LoggedProxy): AccessLog[] {
  return logs.flatMap((log) => buildAccessLogger(log, proxy) ?? []);
}

function buildAccessLogger(log: AccessLogTo, proxy: LoggedProxy): AccessLog | undefined {
  const { envoyFileAccessLog, envoyOtelAls } = log.provider;
  const filter = log.filter === undefined ? undefined : matching(log.filter);
  if (envoyFileAccessLog !== undefined) return buildLines(envoyFileAccessLog, filter);
  const cluster = toldCluster(log);
  if (envoyOtelAls === undefined || cluster === undefined) return undefined;
  const config = buildOtel(envoyOtelAls, cluster, proxy);
  return buildAccessLog('open_telemetry', OpenTelemetryAccessLogConfigSchema, config, filter);
}

function buildLines(settings: FileAccessLog, filter: AccessLogFilter | undefined): AccessLog {
  const accessLogFormat = { case: 'logFormat', value: buildLineFormat(settings) } as const;
  return settings.path === '/dev/stdout'
    ? buildAccessLog('stdout', StdoutAccessLogSchema, create(StdoutAccessLogSchema, { accessLogFormat }), filter)
    : buildAccessLog('stderr', StderrAccessLogSchema, create(StderrAccessLogSchema, { accessLogFormat }), filter);
}

/** Sent in the background: while nobody takes them they are dropped, and no request waits. */
function buildOtel({ logName, logFormat }: OtelAccessLog, cluster: string, { namesItself }: LoggedProxy) {
  const body = logFormat?.text ?? (logFormat?.labels === undefined ? DEFAULT_TEXT.trimEnd() : '');
  const labels = Object.entries(logFormat?.labels ?? {});
  return create(OpenTelemetryAccessLogConfigSchema, {
    grpcService: { targetSpecifier: { case: 'envoyGrpc', value: { clusterName: cluster } } },
    logName,
    body: textValue(body),
    attributes: create(KeyValueListSchema, {
      values: labels.map(([key, value]) => ({ key, value: textValue(value) })),
    }),
    resourceDetectors: buildResourceDetectors(namesItself),
  });
}

function textValue(text: string) {
  return create(AnyValueSchema, { value: { case: 'stringValue', value: text } });
}
