import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'heddle-link-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test.each(['heddle', 'kubectl-heddle'])(
  '%s in a folder of the path runs with the Node of the project, not with that of the machine',
  async (name) => {
    const { bin } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
      readonly bin: Readonly<Record<string, string>>;
    };
    await symlink(path.join(ROOT, bin[name] ?? ''), path.join(folder, name));
    await writeFile(path.join(folder, 'node'), '#!/bin/sh\necho "of the machine" >&2\nexit 1\n');
    await chmod(path.join(folder, 'node'), 0o755);
    const { stdout } = await promisify(execFile)(path.join(folder, name), ['canary', '--help'], {
      cwd: folder,
      env: { PATH: `${folder}:/usr/bin:/bin` },
    });
    expect(stdout).toContain('Usage: heddle canary');
  },
);
