import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { pack } from './encoding.ts';

/** An HTTP filter of that name; without a configuration, that of its defaults. */
export function buildHttpFilter<Desc extends DescMessage>(
  name: string,
  schema: Desc,
  config?: MessageShape<Desc>,
): HttpFilter {
  const value = pack(schema, config ?? create(schema));
  return create(HttpFilterSchema, { name, configType: { case: 'typedConfig', value } });
}
