import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

/** The program of the init container, with a kernel that lacks something: what real ones do is in `test/integration/caller-bounds.test.ts` and e2e. */

const INIT = fileURLToPath(new URL('./main.ts', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-init-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the program writes, and how it ends. @param lacking rules with this in them the kernel does not know */
async function init(lacking: string): Promise<{ readonly said: string[]; readonly code: number }> {
  const nft = join(folder, 'nft');
  await writeFile(
    nft,
    `#!/bin/sh\nif grep -q '${lacking}'; then echo 'Error: No such file or directory' >&2; exit 1; fi\n`,
  );
  await chmod(nft, 0o755);
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
  const { stdout, stderr, code } = await promisify(execFile)(process.execPath, [INIT, '{}'], { env }).then(
    (done) => ({ ...done, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  return { said: `${stdout}${stderr}`.trim().split('\n'), code };
}

test('a kernel that bounds no connections by address is told of, and the pod starts', async () => {
  expect(await init('ct count')).toEqual({
    said: [
      'heddle-init: redirection rules loaded',
      'heddle-init: nft refused to bound connections by address, which needs nft_connlimit: Error: No such file or directory',
    ],
    code: 0,
  });
});

test('one that redirects nothing keeps the pod from starting', async () => {
  expect(await init('redirect')).toEqual({
    said: ['heddle-init: nft refused the redirection rules: Error: No such file or directory'],
    code: 1,
  });
});
