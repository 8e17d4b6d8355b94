import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CliError } from '../cli-error.ts';

/** The folder that this program was taken from: the nearest above it with a folder `manifests/base`. */
export function homeFolder(start: string = import.meta.dirname): string {
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'manifests/base/kustomization.yaml'))) return folder;
    if (folder === path.dirname(folder)) {
      throw new CliError('the folder manifests/ is not beside this program', 'run heddle from a checkout of Heddle');
    }
  }
}

/** The version of this program, and so of what it installs. */
export async function clientVersion(home: string = homeFolder()): Promise<string> {
  const { version } = JSON.parse(await readFile(path.join(home, 'package.json'), 'utf8')) as { version: string };
  return version;
}
