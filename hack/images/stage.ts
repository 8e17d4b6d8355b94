import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { programEntries, whichProgram } from './closure.ts';
import { compileWhenStale } from './compile.ts';
import { type Copy, DockerfileError, findStage, installedPackages, parseDockerfile, type Stage } from './dockerfile.ts';
import { productionPackages } from './packages.ts';
import { type BuiltImage, type ImageConfiguration, storeImage, storeLayer } from './store.ts';
import { systemEntries } from './system-files.ts';
import type { TarEntry } from './tar.ts';

/** The folder of the checkout. */
export const REPOSITORY = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The programs of base images and Debian packages, by their path in the image. */
const BASE_PROGRAMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  node: { '/usr/local/bin/node': 'node' },
};
const PACKAGE_PROGRAMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  nftables: { '/usr/sbin/nft': '/usr/sbin/nft' },
};

/**
 * Makes an image from a stage of the Dockerfile at the root of the checkout, without a daemon. The base image and the packages it
 * installs become their programs with the libraries they need; environment, user, entry point and copied files are the stage's own.
 * What the build stage would produce under its WORKDIR is taken from the checkout.
 * @throws DockerfileError when the stage says something that can't be followed.
 */
export async function buildStage(name: string, target: string): Promise<BuiltImage> {
  const stages = parseDockerfile(await readFile(path.join(REPOSITORY, 'Dockerfile'), 'utf8'));
  const stage = findStage(stages, target);
  const base = await storeLayer([...(await programEntries(await stagePrograms(stage))), ...(await systemEntries())]);
  if (stage.copies.some((copy) => copy.from !== undefined)) await compileWhenStale(REPOSITORY);
  const layers = [base];
  for (const copy of stage.copies) layers.push(await storeLayer(await copiedEntries(copy, stages, stage)));
  return storeImage(name, layers, configuration(stage));
}

function configuration(stage: Stage): ImageConfiguration {
  return {
    environment: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...stage.env },
    workdir: stage.workdir,
    ...(stage.user === undefined ? {} : { user: stage.user }),
    ...(stage.entrypoint === undefined ? {} : { entrypoint: stage.entrypoint }),
    ...(stage.command === undefined ? {} : { command: stage.command }),
  };
}

async function stagePrograms(stage: Stage): Promise<Record<string, string>> {
  const found = BASE_PROGRAMS[stage.base.split(':')[0] ?? ''];
  if (found === undefined)
    throw new DockerfileError(
      `Dockerfile line ${stage.line}: the daemonless builder does not know the base ${stage.base}`,
    );
  const programs: Record<string, string> = { ...found };
  for (const step of stage.runs) {
    for (const name of installedPackages(step) ?? [step.rest.slice(0, 40)]) {
      const added = PACKAGE_PROGRAMS[name];
      if (added === undefined)
        throw new DockerfileError(`Dockerfile line ${step.line}: the daemonless builder does not know ${name}`);
      Object.assign(programs, added);
    }
  }
  for (const [target, program] of Object.entries(programs)) {
    if (program === 'node') programs[target] = process.execPath;
    else if (!program.startsWith('/')) programs[target] = await whichProgram(program);
  }
  return programs;
}

async function copiedEntries(copy: Copy, stages: readonly Stage[], stage: Stage): Promise<TarEntry[]> {
  const origin = copy.from === undefined ? '' : findStage(stages, copy.from).workdir;
  const entries: TarEntry[] = [];
  for (const source of copy.sources) {
    const local = copy.from === undefined ? source : path.relative(origin, source);
    if (local.startsWith('..'))
      throw new DockerfileError(`Dockerfile line ${copy.line}: ${source} is outside of ${origin}`);
    const target = path.resolve(
      stage.workdir,
      copy.target,
      copy.target.endsWith('/') && !(await isFolder(local)) ? path.basename(source) : '',
    );
    if (local === 'node_modules') entries.push(...(await productionEntries(target)));
    else entries.push(...(await treeEntries(path.join(REPOSITORY, local), target)));
  }
  return entries;
}

async function isFolder(local: string): Promise<boolean> {
  return (await stat(path.join(REPOSITORY, local))).isDirectory();
}

/** The packages that run in production, without those that only development needs, as `npm prune --omit=dev` leaves them. */
async function productionEntries(target: string): Promise<TarEntry[]> {
  const lock = await readFile(path.join(REPOSITORY, 'package-lock.json'), 'utf8');
  const entries: TarEntry[] = [];
  for (const folder of productionPackages(lock)) {
    const local = path.join(REPOSITORY, folder);
    const place = path.join(target, path.relative('node_modules', folder));
    // Optional packages for other systems are in the lock file and not on the disk.
    const present = await stat(local).catch(() => undefined);
    if (present !== undefined) entries.push(...(await treeEntries(local, place, (name) => name !== 'node_modules')));
  }
  return entries;
}

/** A file, or a folder with all that is in it, as it will stand at `target`. Modes become 755 and 644, whatever the checkout has. */
async function treeEntries(
  local: string,
  target: string,
  keep: (name: string) => boolean = () => true,
): Promise<TarEntry[]> {
  const place = path.relative('/', target);
  const info = await stat(local);
  if (!info.isDirectory()) {
    const mode = (info.mode & 0o100) === 0 ? 0o644 : 0o755;
    return [{ path: place, kind: 'file', mode, source: { file: local, size: info.size } }];
  }
  const names = (await readdir(local)).filter(keep);
  const below = await Promise.all(
    names.map((name) => treeEntries(path.join(local, name), path.join(target, name), keep)),
  );
  return [...(place === '' ? [] : [{ path: place, kind: 'directory', mode: 0o755 } as const]), ...below.flat()];
}
