import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { JsonObject } from '@bufbuild/protobuf';
import { envoyBinary } from '../../../hack/envoy/binary.ts';

/**
 * What the real Envoy has to say against a bootstrap; '' when it takes it.
 * @param file where the bootstrap is written for it, and left
 */
export async function findObjections(bootstrap: JsonObject, file: string): Promise<string> {
  writeFileSync(file, JSON.stringify(bootstrap));
  const arguments_ = ['--mode', 'validate', '--disable-hot-restart', '-l', 'error', '-c', file];
  const run = promisify(execFile)(await envoyBinary(), arguments_, { maxBuffer: 64 * 1024 * 1024 });
  return run.then(
    ({ stdout }) => (stdout.includes('OK') ? '' : stdout),
    // Envoy's own words stand in its message.
    (error: unknown) => String(error),
  );
}
