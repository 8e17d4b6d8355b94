import { spawn } from 'node:child_process';
import { mkdir, open, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatRecord, isZombie, type ProcessRecord, parseRecord, parseStartTicks } from './process-record.ts';

export type ProcessStart = {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The file that takes standard output and standard error. */
  readonly logFile: string;
};

/** The identity of the running kernel: start times only compare within one boot. */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/**
 * A record of the process with this pid, as it is now.
 * @throws Error when there is none.
 */
export async function recordOf(name: string, pid: number): Promise<ProcessRecord> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return { name, pid, startTicks: parseStartTicks(stat), bootId: await readBootId() };
}

/** Whether the recorded process, and not another one with its pid, still runs. */
export async function isRunning(record: ProcessRecord): Promise<boolean> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${record.pid}/stat`, 'utf8');
  } catch {
    return false;
  }
  return !isZombie(stat) && parseStartTicks(stat) === record.startTicks && (await readBootId()) === record.bootId;
}

/**
 * Starts a program that outlives us, in a session of its own, and records it in `directory`.
 * @throws Error when the program cannot be started.
 */
export async function startProcess(directory: string, start: ProcessStart): Promise<ProcessRecord> {
  await mkdir(directory, { recursive: true });
  await mkdir(path.dirname(start.logFile), { recursive: true });
  const log = await open(start.logFile, 'a', 0o600);
  try {
    const child = spawn(start.program, start.args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: '/',
      env: start.env ?? process.env,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => reject(new Error(`${start.name} could not be started: ${cause.message}`)));
    });
    child.unref();
    if (child.pid === undefined) throw new Error(`${start.name} could not be started: no pid`);
    const record = await recordOf(start.name, child.pid);
    const file = path.join(directory, `${start.name}.json`);
    await writeFile(`${file}.new`, formatRecord(record));
    await rename(`${file}.new`, file);
    return record;
  } finally {
    await log.close();
  }
}

/** The records in `directory`; damaged ones are left out. */
export async function readRecords(directory: string): Promise<ProcessRecord[]> {
  const names = await readdir(directory).catch(() => [] as string[]);
  const texts = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .map((name) => readFile(path.join(directory, name), 'utf8').catch(() => '')),
  );
  return texts.map(parseRecord).filter((record) => record !== undefined);
}

/**
 * Asks the recorded processes to end, kills those that have not ended after `graceMs`, and returns when none runs. A record whose
 * process is gone, or whose pid belongs to another process now, is left alone.
 */
export async function stopProcesses(records: readonly ProcessRecord[], graceMs = 8_000): Promise<void> {
  await signalAll(records, 'SIGTERM');
  if (await waitUntilGone(records, graceMs)) return;
  await signalAll(records, 'SIGKILL');
  if (await waitUntilGone(records, 5_000)) return;
  const stuck = (
    await Promise.all(records.map(async (r) => ((await isRunning(r)) ? `${r.name} (${r.pid})` : '')))
  ).filter(Boolean);
  throw new Error(`these processes do not end even when killed: ${stuck.join(', ')}`);
}

async function signalAll(records: readonly ProcessRecord[], signal: NodeJS.Signals): Promise<void> {
  for (const record of records) {
    if (!(await isRunning(record))) continue;
    try {
      process.kill(record.pid, signal);
    } catch (cause) {
      // It ended between the look and the signal.
      if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
    }
  }
}

async function waitUntilGone(records: readonly ProcessRecord[], timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const running = await Promise.all(records.map(isRunning));
    if (!running.includes(true)) return true;
    if (Date.now() >= deadline) return false;
    await sleep(50);
  }
}
