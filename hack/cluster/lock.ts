import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheDirectory } from './layout.ts';
import { formatRecord, parseRecord } from './process-record.ts';
import { isRunning, recordOf } from './processes.ts';

const WAIT_MS = 30 * 60_000;

/**
 * Runs `work` while no other process of this machine starts or stops the cluster. Waits for one that does; a lock whose owner died
 * counts for nothing.
 * @throws Error when another process holds the lock for 30 minutes.
 */
export async function withClusterLock<T>(report: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const file = path.join(cacheDirectory(), 'cluster.lock');
  await mkdir(path.dirname(file), { recursive: true });
  const deadline = Date.now() + WAIT_MS;
  let told = false;
  while (!(await take(file))) {
    if (Date.now() > deadline)
      throw new Error(`another process has held ${file} for half an hour; end it and try again`);
    if (!told) report('waiting for another process that starts or stops the cluster');
    told = true;
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const lock = await open(file, 'wx', 0o600);
    await writeFile(lock, formatRecord(await recordOf('cluster lock', process.pid)));
    await lock.close();
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
  const owner = parseRecord(await readFile(file, 'utf8').catch(() => ''));
  if (owner !== undefined && !(await isRunning(owner))) await rm(file, { force: true });
  return false;
}
