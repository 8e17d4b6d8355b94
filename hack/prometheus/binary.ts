import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { run, tryRun } from '../cluster/command.ts';
import { cacheDirectory } from '../cluster/layout.ts';

/** The package of Debian and Ubuntu; which version is theirs to say. It is taken apart, not installed. */
const PACKAGE = 'prometheus';
const FILE = 'usr/bin/prometheus';

/**
 * The path of a Prometheus server, taken out of Debian's package once and cached. Needs no root.
 * @throws Error in one sentence when the package can't be had.
 */
export async function prometheusBinary(): Promise<string> {
  const folder = path.join(cacheDirectory(), PACKAGE);
  const binary = path.join(folder, `${PACKAGE}-${process.arch}`);
  if (existsSync(binary)) return binary;
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(path.join(folder, 'package-'));
  try {
    const file = await download(work);
    await run('dpkg-deb', ['--extract', file, path.join(work, 'tree')]);
    const extracted = path.join(work, 'binary');
    await copyFile(path.join(work, 'tree', FILE), extracted);
    await chmod(extracted, 0o755);
    await rename(extracted, binary);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return binary;
}

async function download(folder: string): Promise<string> {
  const get = () => tryRun('apt-get', ['download', '--quiet', PACKAGE], { cwd: folder }).catch(() => undefined);
  let got = await get();
  // Without lists of packages none is known.
  if (got?.code !== 0 && process.getuid?.() === 0) {
    await tryRun('apt-get', ['update'], {}).catch(() => undefined);
    got = await get();
  }
  const found = (await readdir(folder)).find((name) => name.endsWith('.deb'));
  if (got?.code === 0 && found !== undefined) return path.join(folder, found);
  throw new Error(
    `Prometheus comes as a package of Debian and "apt-get download ${PACKAGE}" gives none (${got?.stderr.trim().split('\n').at(-1) ?? 'there is no apt-get'}): use Debian or Ubuntu, run apt-get update, and run again.`,
  );
}
