import { create } from '@bufbuild/protobuf';
import { type Filter, FilterSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import {
  type FilterStateValue,
  FilterStateValue_SharedWithUpstream,
  FilterStateValueSchema,
} from '../../generated/envoy/envoy/extensions/filters/common/set_filter_state/v3/value_pb.js';
import { ConfigSchema } from '../../generated/envoy/envoy/extensions/filters/network/set_filter_state/v3/set_filter_state_pb.js';
import { MESH_ALPN } from '../../proxy/names.ts';
import { pack } from './encoding.ts';
import { HTTP_ALPN } from './names.ts';

/** Makes connections to other proxies, on behalf of this one, offer the ALPN that says "HTTP inside". */
export function buildAlpnFilter(): Filter {
  const config = create(ConfigSchema, { onNewConnection: [buildAlpnState()] });
  return create(FilterSchema, {
    name: 'envoy.filters.network.set_filter_state',
    configType: { case: 'typedConfig', value: pack(ConfigSchema, config) },
  });
}

function buildAlpnState(): FilterStateValue {
  return create(FilterStateValueSchema, {
    key: { case: 'objectKey', value: 'envoy.network.application_protocols' },
    value: {
      case: 'formatString',
      value: {
        format: {
          case: 'textFormatSource',
          value: { specifier: { case: 'inlineString', value: `${HTTP_ALPN},${MESH_ALPN}` } },
        },
      },
    },
    sharedWithUpstream: FilterStateValue_SharedWithUpstream.ONCE,
  });
}
