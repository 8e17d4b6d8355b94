import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../cluster/layout.ts';
import { noteUse, removeUnused } from '../cluster/unused.ts';
import { writeArchive } from './archive.ts';
import type { TarEntry } from './tar.ts';

/** A layer of an image, kept as an uncompressed archive in the cache. */
export type Layer = { readonly digest: string; readonly file: string; readonly size: number };

/** What the container runtime is told about an image (OCI image configuration, `config`). */
export type ImageConfiguration = {
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly workdir?: string;
};

/** An image in the cache: its name, the digest of its configuration, and the archive that `docker load` and `ctr import` take. */
export type BuiltImage = { readonly name: string; readonly id: string; readonly archive: string };

function storeFolder(...parts: string[]): string {
  return path.join(cacheDirectory(), 'images', ...parts);
}

/**
 * The layer that holds `entries`, written only when no layer was made from the same files before. Files on disk count as the same while
 * path, size and time of change are.
 */
export async function storeLayer(entries: readonly TarEntry[]): Promise<Layer> {
  await mkdir(storeFolder('layers'), { recursive: true });
  await mkdir(storeFolder('keys'), { recursive: true });
  const key = storeFolder('keys', await fingerprint(entries));
  const known = existsSync(key) ? (await readFile(key, 'utf8')).trim() : '';
  const cached = storeFolder('layers', `${known}.tar`);
  if (known !== '' && existsSync(cached)) {
    await noteUse(key, cached);
    return { digest: known, file: cached, size: (await stat(cached)).size };
  }
  const temporary = storeFolder('layers', `new-${process.pid}-${path.basename(key).slice(0, 16)}`);
  const digest = await writeArchive(temporary, entries);
  const file = storeFolder('layers', `${digest}.tar`);
  await rename(temporary, file);
  await writeFile(key, digest);
  return { digest, file, size: (await stat(file)).size };
}

async function fingerprint(entries: readonly TarEntry[]): Promise<string> {
  const lines = await Promise.all(
    entries.map(async (entry) => {
      if (entry.kind !== 'file') return JSON.stringify(entry);
      if ('bytes' in entry.source) {
        return `${entry.path} ${entry.mode} ${createHash('sha256').update(entry.source.bytes).digest('hex')}`;
      }
      const { size, mtimeNs } = await stat(entry.source.file, { bigint: true });
      return `${entry.path} ${entry.mode} ${entry.source.file} ${size} ${mtimeNs}`;
    }),
  );
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

/**
 * Writes the image `name` as a docker archive (`manifest.json`, configuration, layers): deterministic, so the same files give the same
 * image on every machine. Written only when it changed.
 */
export async function storeImage(
  name: string,
  layers: readonly Layer[],
  config: ImageConfiguration,
): Promise<BuiltImage> {
  const json = JSON.stringify(imageDocument(layers, config));
  const id = createHash('sha256').update(json).digest('hex');
  const archive = storeFolder(`${name.replaceAll(/[^A-Za-z0-9.]+/g, '-')}-${id.slice(0, 12)}.tar`);
  if (existsSync(archive)) return { name, id, archive };
  const manifest = [{ Config: `${id}.json`, RepoTags: [name], Layers: layers.map((layer) => `${layer.digest}.tar`) }];
  const encoder = new TextEncoder();
  const inMemory = (file: string, text: string): TarEntry => ({
    path: file,
    kind: 'file',
    mode: 0o644,
    source: { bytes: encoder.encode(text) },
  });
  const temporary = `${archive}.${process.pid}`;
  await writeArchive(temporary, [
    inMemory('manifest.json', JSON.stringify(manifest)),
    inMemory(`${id}.json`, json),
    ...layers.map((layer): TarEntry => {
      return { path: `${layer.digest}.tar`, kind: 'file', mode: 0o644, source: { file: layer.file, size: layer.size } };
    }),
  ]);
  await rename(temporary, archive);
  await removeOldArchives(name, archive);
  return { name, id, archive };
}

/** The image's configuration in the form of the OCI image specification. */
function imageDocument(layers: readonly Layer[], config: ImageConfiguration): object {
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      Env: Object.entries(config.environment).map(([key, value]) => `${key}=${value}`),
      ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
      ...(config.command === undefined ? {} : { Cmd: config.command }),
      ...(config.user === undefined ? {} : { User: config.user }),
      ...(config.workdir === undefined ? {} : { WorkingDir: config.workdir }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => `sha256:${layer.digest}`) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'hack/images' })),
  };
}

/** Older archives of the same image, and layers nothing has used for a month, only take room. */
async function removeOldArchives(name: string, current: string): Promise<void> {
  const prefix = `${name.replaceAll(/[^A-Za-z0-9.]+/g, '-')}-`;
  for (const file of await readdir(storeFolder())) {
    const isOlder =
      file.startsWith(prefix) &&
      /^[0-9a-f]{12}\.tar$/.test(file.slice(prefix.length)) &&
      file !== path.basename(current);
    if (isOlder) await rm(storeFolder(file), { force: true });
  }
  for (const folder of ['layers', 'keys']) await removeUnused(storeFolder(folder));
}
