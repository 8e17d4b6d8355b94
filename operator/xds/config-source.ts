import { create } from '@bufbuild/protobuf';
import {
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from '../../generated/envoy/envoy/config/core/v3/config_source_pb.js';
import { milliseconds } from './encoding.ts';

/**
 * "From the ADS stream." Whoever refers to a resource so waits for it however long it takes: a proxy that began without would drop traffic.
 */
export function adsSource(): ConfigSource {
  return create(ConfigSourceSchema, {
    configSourceSpecifier: { case: 'ads', value: {} },
    resourceApiVersion: ApiVersion.V3,
    initialFetchTimeout: milliseconds(0),
  });
}
