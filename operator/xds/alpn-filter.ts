import { create, type JsonObject } from '@bufbuild/protobuf';
import { type Metadata, MetadataSchema } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import {
  type FilterStateValue,
  FilterStateValueSchema,
} from '../../generated/envoy/envoy/extensions/filters/common/set_filter_state/v3/value_pb.js';
import {
  type Config,
  ConfigSchema,
} from '../../generated/envoy/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js';
import { MESH_ALPN } from '../../proxy/names.ts';
import { HTTP_ALPN } from './names.ts';

/** Cluster metadata that says what connections for HTTP offer as ALPN. */
const NAMESPACE = 'heddle';
const KEY = 'http_alpn';

/**
 * Configuration of the HTTP filter `set_filter_state` by which requests to other proxies are sent over connections whose ALPN says "HTTP inside".
 * Which these are, clusters say (`alpnMetadata`): a server outside of the mesh may refuse names it does not know.
 */
export function buildAlpnState(): Config {
  const state: FilterStateValue = create(FilterStateValueSchema, {
    key: { case: 'objectKey', value: 'envoy.network.application_protocols' },
    value: {
      case: 'formatString',
      value: {
        format: {
          case: 'textFormatSource',
          value: { specifier: { case: 'inlineString', value: `%CLUSTER_METADATA(${NAMESPACE}:${KEY})%` } },
        },
        omitEmptyValues: true,
      },
    },
    skipIfEmpty: true,
  });
  return create(ConfigSchema, { onRequestHeaders: [state] });
}

/** Metadata of a cluster whose endpoints are other proxies, and which carries HTTP. */
export function alpnMetadata(): Metadata {
  const said: JsonObject = { [KEY]: `${HTTP_ALPN},${MESH_ALPN}` };
  return create(MetadataSchema, { filterMetadata: { [NAMESPACE]: said } });
}
