import { create, type DescMessage, type JsonObject, type MessageShape } from '@bufbuild/protobuf';
import {
  type AccessLog,
  type AccessLogFilter,
  AccessLogSchema,
} from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { StdoutAccessLogSchema } from '../../generated/envoy/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import { pack } from './encoding.ts';

/**
 * An access log, by the last part of its name.
 * @param filter what it hears of; absent: all
 */
export function buildAccessLog<Desc extends DescMessage>(
  name: string,
  schema: Desc,
  config: MessageShape<Desc>,
  filter?: AccessLogFilter,
): AccessLog {
  return create(AccessLogSchema, {
    name: `envoy.access_loggers.${name}`,
    ...(filter === undefined ? {} : { filter }),
    configType: { case: 'typedConfig', value: pack(schema, config) },
  });
}

/**
 * Writes a line of JSON to the sidecar's output.
 * @param fields texts or format strings of Envoy's access log
 * @param filter what is written of
 */
export function buildJsonLines(fields: JsonObject, filter: AccessLogFilter): AccessLog {
  const config = create(StdoutAccessLogSchema, {
    accessLogFormat: { case: 'logFormat', value: { format: { case: 'jsonFormat', value: fields } } },
  });
  return buildAccessLog('stdout', StdoutAccessLogSchema, config, filter);
}
