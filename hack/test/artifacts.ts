import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where tests leave what people look at afterwards, such as the state at a failure and pictures: the folder that `HEDDLE_TEST_ARTIFACTS` names, as CI does. */
export function artifactsFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.HEDDLE_TEST_ARTIFACTS || join(tmpdir(), 'heddle-test-artifacts');
}
