import { create } from '@bufbuild/protobuf';
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from '../../generated/envoy/envoy/config/core/v3/extension_pb.js';
import { EnvironmentResourceDetectorConfigSchema } from '../../generated/envoy/envoy/extensions/tracers/opentelemetry/resource_detectors/v3/environment_resource_detector_pb.js';
import { pack } from './encoding.ts';

/**
 * Has Envoy say in spans and logs which service it is, as its environment tells it: listeners are shared by proxies. It refuses the listener where the
 * variable is missing, as it is in sidecars that were injected before.
 */
export function buildResourceDetectors(namesItself: boolean): TypedExtensionConfig[] {
  if (!namesItself) return [];
  const config = create(EnvironmentResourceDetectorConfigSchema);
  return [
    create(TypedExtensionConfigSchema, {
      name: 'envoy.tracers.opentelemetry.resource_detectors.environment',
      typedConfig: pack(EnvironmentResourceDetectorConfigSchema, config),
    }),
  ];
}
