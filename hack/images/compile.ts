import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../cluster/command.ts';
import { withLock } from '../cluster/lock.ts';

/** What `npm run build` reads, relative to the checkout. */
const SOURCES = [
  'api',
  'kube',
  'proxy',
  'operator',
  'webhook',
  'cli',
  'generated',
  'tsconfig.json',
  'tsconfig.build.json',
  'hack/page',
  'package-lock.json',
];

/**
 * Compiles the checkout to `dist` if a source changed since it was last compiled here.
 * @throws Error with the compiler's words.
 */
export function compileWhenStale(repository: string): Promise<void> {
  // The build empties `dist` first; two at once would empty each other's.
  const lock = path.join(repository, '.heddle', 'compile.lock');
  return withLock(
    lock,
    () => {},
    () => compile(repository),
  );
}

async function compile(repository: string): Promise<void> {
  const stamp = path.join(repository, '.heddle', 'compiled');
  const digest = await sourceDigest(repository);
  const done = await readFile(stamp, 'utf8').catch(() => '');
  if (done === digest && existsSync(path.join(repository, 'dist'))) return;
  await rm(stamp, { force: true });
  await run('npm', ['run', 'build'], { cwd: repository });
  await mkdir(path.dirname(stamp), { recursive: true });
  // Generation may have changed the sources on the way.
  await writeFile(stamp, await sourceDigest(repository));
}

async function sourceDigest(repository: string): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    for (const file of await filesBelow(path.join(repository, source))) {
      if (file.endsWith('.test.ts')) continue;
      hash.update(`${path.relative(repository, file)}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex');
}

async function filesBelow(place: string): Promise<string[]> {
  if (!existsSync(place)) return [];
  const entries = await readdir(place, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [place];
  const below = await Promise.all(
    entries.map((entry) =>
      entry.isDirectory() ? filesBelow(path.join(place, entry.name)) : [path.join(place, entry.name)],
    ),
  );
  return below.flat().sort();
}
