import { readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';

const LIFETIME_MS = 30 * 24 * 3_600_000;

/** Notes that files or folders of the cache were used just now. In a cache of another user nothing is noted. */
export async function noteUse(...files: readonly string[]): Promise<void> {
  const now = new Date();
  await Promise.all(files.map((file) => utimes(file, now, now).catch(() => {})));
}

/** Removes what lies in a folder of the cache and was neither made nor used for a month: it only takes room. */
export async function removeUnused(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    // Another process may be at the same.
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > LIFETIME_MS) await rm(file, { recursive: true, force: true });
  }
}
