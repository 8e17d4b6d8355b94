import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { type Filter, FilterSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { pack } from './encoding.ts';

/** A network filter of that name. */
export function buildNetworkFilter<Desc extends DescMessage>(
  name: string,
  schema: Desc,
  config: MessageShape<Desc>,
): Filter {
  return create(FilterSchema, { name, configType: { case: 'typedConfig', value: pack(schema, config) } });
}
