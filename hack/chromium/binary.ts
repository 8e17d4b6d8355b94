import { existsSync } from 'node:fs';
import path from 'node:path';
import { cacheDirectory } from '../cluster/layout.ts';
import { withLock } from '../cluster/lock.ts';
import { aptInstall } from '../cluster/prerequisites.ts';

/** The package of Debian that holds a Chromium without windows, and a typeface such as people have, so that pictures look as what they see. */
const PACKAGES = ['chromium-headless-shell', 'fonts-inter'];
const NAMES = ['chromium-headless-shell', 'chromium', 'google-chrome', 'chromium-browser'];

/**
 * The path of a Chromium: that of `HEDDLE_CHROMIUM`, or what is on the PATH, or else Debian's package, which is installed (that needs root).
 * @throws Error in one sentence when there is none to be had.
 */
export async function chromiumBinary(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (env.HEDDLE_CHROMIUM) return env.HEDDLE_CHROMIUM;
  const found = onPath(env);
  if (found !== undefined) return found;
  if (process.getuid?.() === 0) await install(env);
  const installed = onPath(env);
  if (installed !== undefined) return installed;
  throw new Error(
    `The page is tried in a Chromium and there is none on the PATH: install ${PACKAGES[0]} (Debian), or name one in HEDDLE_CHROMIUM, and run again.`,
  );
}

/** Several tests may be the first to want it. */
async function install(env: NodeJS.ProcessEnv): Promise<void> {
  const report = (line: string) => void process.stderr.write(`chromium: ${line}\n`);
  await withLock(
    path.join(cacheDirectory(env), 'chromium.lock'),
    () => report('waiting for another that installs it'),
    async () => {
      if (onPath(env) === undefined) await aptInstall(PACKAGES, report);
    },
  );
}

function onPath(env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => existsSync(file));
}
