import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { CERT_MANAGER, ensureBinary, type Show } from '../cluster/binaries.ts';
import { run } from '../cluster/command.ts';

/** What is needed to run cert-manager. */
export interface CertManagerRelease {
  /** Path of its controller. */
  readonly program: string;
  /** Folder of its CustomResourceDefinitions. */
  readonly definitions: string;
}

const MODULE = 'github.com/cert-manager/cert-manager';

/**
 * Builds cert-manager's controller, and takes its definitions from the same module, where the cache does not have them.
 * @param show draws how far the build is
 * @throws PrerequisiteError without Go; Error with Go's words when that fails.
 */
export async function certManager(show?: Show): Promise<CertManagerRelease> {
  const program = await ensureBinary(CERT_MANAGER, show);
  const definitions = path.join(path.dirname(program), 'crds');
  if (!existsSync(definitions)) await takeDefinitions(definitions);
  return { program, definitions };
}

async function takeDefinitions(folder: string): Promise<void> {
  const env = { ...process.env, GOWORK: 'off', GOFLAGS: '-mod=readonly' };
  const answer = await run('go', ['mod', 'download', '-json', MODULE], { cwd: CERT_MANAGER.folder, env });
  const { Dir } = JSON.parse(answer) as { readonly Dir: string };
  const source = path.join(Dir, 'deploy', 'crds');
  // Moved to its place whole: what was interrupted leaves nothing that looks finished.
  const temporary = `${folder}.${process.pid}`;
  await mkdir(temporary, { recursive: true });
  try {
    for (const name of await readdir(source)) {
      if (name.endsWith('.yaml')) await copyFile(path.join(source, name), path.join(temporary, name));
    }
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
