import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tryRun } from '../cluster/command.ts';
import { stateLayout } from '../cluster/layout.ts';
import { IMAGES } from './catalog.ts';
import type { BuiltImage } from './store.ts';

/**
 * Builds images into the cache, one after the other.
 * @param names which ones; all without it.
 * @throws Error for a name that is not in the catalogue, or when a build fails.
 */
export async function buildImages(names: readonly string[] = Object.keys(IMAGES)): Promise<BuiltImage[]> {
  const built: BuiltImage[] = [];
  for (const name of names) {
    const build = IMAGES[name];
    if (build === undefined) throw new Error(`there is no image ${name}; there are ${Object.keys(IMAGES).join(', ')}`);
    built.push(await build());
  }
  return built;
}

/**
 * Builds images and puts those that changed into the running local cluster.
 * @param names which ones; all without it.
 * @returns the images; `imported` says whether the cluster did not have it yet.
 * @throws Error when the cluster is not running.
 */
export async function loadImages(names?: readonly string[]): Promise<(BuiltImage & { imported: boolean })[]> {
  const results: (BuiltImage & { imported: boolean })[] = [];
  for (const image of await buildImages(names)) {
    const imported = (await loadedImages())[image.name] !== image.id;
    if (imported) {
      await importArchive(image.archive);
      await rememberLoaded(image);
    }
    results.push({ ...image, imported });
  }
  return results;
}

/**
 * Imports an image archive (docker or OCI) into the running local cluster's containerd, under the names the archive has.
 * @throws Error when the file is no image archive, or the cluster is not running.
 */
export async function importArchive(archive: string): Promise<void> {
  const args = ['--address', stateLayout().containerdSocket, '--namespace', 'k8s.io', 'images', 'import'];
  // Newer versions of ctr import by a service that older ones lack, unless told otherwise; older ones don't know the flag.
  const local = await tryRun('ctr', [...args, '--local', archive]);
  const result = /flag provided but not defined/.test(local.stderr) ? await tryRun('ctr', [...args, archive]) : local;
  if (result.code === 0) return;
  const reason = result.stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(`${archive} could not be loaded; is it an image archive, as docker save writes it? (${reason})`);
}

/** What was imported into the cluster that runs now. Deleted with it. */
function loadedFile(): string {
  return path.join(stateLayout().root, 'images.json');
}

async function loadedImages(): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(loadedFile(), 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}

async function rememberLoaded(image: BuiltImage): Promise<void> {
  await mkdir(path.dirname(loadedFile()), { recursive: true });
  const all = { ...(await loadedImages()), [image.name]: image.id };
  await writeFile(loadedFile(), `${JSON.stringify(all, null, 2)}\n`);
}
