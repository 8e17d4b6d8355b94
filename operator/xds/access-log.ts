import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import {
  type AccessLog,
  type AccessLogFilter,
  AccessLogSchema,
} from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
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
