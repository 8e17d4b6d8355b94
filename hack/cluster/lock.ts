import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheDirectory } from './layout.ts';
import { formatRecord, parseRecord } from './process-record.ts';
import { isRunning, recordOf } from './processes.ts';

const WAIT_MS = 30 * 60_000;
const POLL_MS = 200;

let attempts = 0;

/** Runs `work` while no other process of this machine starts or stops the cluster. Errors as {@link withLock}. */
export function withClusterLock<T>(report: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const onWait = (): void => report('waiting for another process that starts or stops the cluster');
  return withLock(path.join(cacheDirectory(), 'cluster.lock'), onWait, work);
}

/**
 * Runs `work` while this process holds the lock `file`. A lock whose owner died counts for nothing.
 * @param onWait called once when another process holds it.
 * @throws Error when another process holds it for 30 minutes, and whatever `work` throws.
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  const deadline = Date.now() + WAIT_MS;
  let told = false;
  while (!(await take(file))) {
    if (Date.now() > deadline)
      throw new Error(`another process has held ${file} for half an hour; end it and try again`);
    if (!told) onWait();
    told = true;
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

/** Takes the lock if it is free. It appears whole or not at all, so nobody reads half a record. */
async function take(file: string): Promise<boolean> {
  attempts += 1;
  const own = `${file}.${process.pid}.${attempts}`;
  await writeFile(own, formatRecord(await recordOf('lock', process.pid)), { mode: 0o600 });
  try {
    await link(own, file);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  } finally {
    await rm(own, { force: true });
  }
  await removeIfDead(file);
  return false;
}

async function removeIfDead(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const owner = parseRecord(text ?? '');
  if (text === undefined || (owner !== undefined && (await isRunning(owner)))) return;
  // Another process may have removed the dead lock and taken its own since we looked: what we move away must be what we read.
  const aside = `${file}.${process.pid}.${attempts}.dead`;
  await rename(file, aside).catch(() => {});
  const moved = await readFile(aside, 'utf8').catch(() => undefined);
  if (moved !== undefined && moved !== text) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
}
