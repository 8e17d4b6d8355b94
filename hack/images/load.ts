import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { nodesWithImages } from '../cluster/cluster-node.ts';
import { tryRun } from '../cluster/command.ts';
import { type StateLayout, stateLayout } from '../cluster/layout.ts';
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
 * Builds images and puts those that changed into every node of the running local cluster.
 * @param names which ones; all without it.
 * @returns the images; `imported` says whether a node did not have it yet.
 * @throws Error when the cluster is not running.
 */
export async function loadImages(names?: readonly string[]): Promise<(BuiltImage & { imported: boolean })[]> {
  const results: (BuiltImage & { imported: boolean })[] = [];
  for (const image of await buildImages(names)) {
    let imported = false;
    for (const { state } of nodesWithImages(stateLayout())) imported = (await loadInto(state, image)) || imported;
    results.push({ ...image, imported });
  }
  return results;
}

/** Builds images and puts those that changed into one node. @throws Error when it is not running */
export async function loadImagesInto(node: StateLayout, names: readonly string[]): Promise<void> {
  for (const image of await buildImages(names)) await loadInto(node, image);
}

/** The names of the images that {@link loadImages} put into a node. */
export async function namesOfLoadedImages(node: StateLayout): Promise<string[]> {
  return Object.keys(await loadedImages(node));
}

async function loadInto(node: StateLayout, image: BuiltImage): Promise<boolean> {
  const loaded = await loadedImages(node);
  if (loaded[image.name] === image.id) return false;
  await importArchive(image.archive, node);
  await writeFile(loadedFile(node), `${JSON.stringify({ ...loaded, [image.name]: image.id }, null, 2)}\n`);
  return true;
}

/**
 * Imports an image archive (docker or OCI) into the containerd of a running node, under the names the archive has.
 * @throws Error when the file is no image archive, or the node is not running.
 */
export async function importArchive(archive: string, node: StateLayout): Promise<void> {
  const args = ['--address', node.containerdSocket, '--namespace', 'k8s.io', 'images', 'import'];
  // Newer versions of ctr import by a service that older ones lack, unless told otherwise; older ones don't know the flag.
  const local = await tryRun('ctr', [...args, '--local', archive]);
  const result = /flag provided but not defined/.test(local.stderr) ? await tryRun('ctr', [...args, archive]) : local;
  if (result.code === 0) return;
  const reason = result.stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(`${archive} could not be loaded; is it an image archive, as docker save writes it? (${reason})`);
}

/** What was imported into a node that runs now. Deleted with it. */
function loadedFile(node: StateLayout): string {
  return path.join(node.root, 'images.json');
}

async function loadedImages(node: StateLayout): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(loadedFile(node), 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}
