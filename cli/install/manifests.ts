import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CliError } from '../cli-error.ts';
import { buildKustomization } from './kustomization.ts';
import { inOrder, type ManifestObject } from './manifest-object.ts';

/** All that an installation consists of. */
export interface Manifests {
  /** In the order in which they are applied; with Heddle's own definitions, without Istio's. */
  readonly base: readonly ManifestObject[];
  readonly istioDefinitions: readonly ManifestObject[];
}

/** The folder that this program was taken from: the nearest above it with a folder `manifests/base`. */
export function homeFolder(start: string = import.meta.dirname): string {
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'manifests/base/kustomization.yaml'))) return folder;
    if (folder === path.dirname(folder)) {
      throw new CliError('the folder manifests/ is not beside this program', 'run heddle from a checkout of Heddle');
    }
  }
}

/** Reads the manifests of this version. */
export async function readManifests(home: string = homeFolder()): Promise<Manifests> {
  const [base, istioDefinitions] = await Promise.all([
    buildKustomization(path.join(home, 'manifests/base')),
    buildKustomization(path.join(home, 'manifests/istio-crds')),
  ]);
  return { base: inOrder(base), istioDefinitions };
}

/** The version of this program, and so of what it installs. */
export async function clientVersion(home: string = homeFolder()): Promise<string> {
  const { version } = JSON.parse(await readFile(path.join(home, 'package.json'), 'utf8')) as { version: string };
  return version;
}
