import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StateLayout } from './layout.ts';
import type { ProcessRecord } from './process-record.ts';
import { isRunning, readRecords, startProcess } from './processes.ts';

const READY_TIMEOUT_MS = 60_000;
const LOG_LINES = 8;

/**
 * Starts a component of a node, which outlives us; its log is `NAME.log`.
 * @throws Error when the program cannot be started.
 */
export function startComponent(
  state: StateLayout,
  name: string,
  program: string,
  args: readonly string[],
): Promise<ProcessRecord> {
  const logFile = path.join(state.logs, `${name}.log`);
  return startProcess(state.processes, { name, program, args, logFile, env: componentEnvironment() });
}

/** Components find their programs in Debian's places even where the caller's PATH lacks them, and talk to no proxy. */
function componentEnvironment(): NodeJS.ProcessEnv {
  const PATH = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  return { PATH, HOME: '/root', LANG: 'C.UTF-8' };
}

/**
 * Waits until something is ready that components of a node make.
 * @param needed those that must not end meanwhile; the last is named when it takes too long
 * @throws Error that names the component, with the end of its log.
 */
export async function untilReady(
  state: StateLayout,
  needed: readonly ProcessRecord[],
  ready: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!(await ready())) {
    for (const record of needed) if (!(await isRunning(record))) throw await failure(state, record.name, 'ended');
    if (Date.now() > deadline) throw await failure(state, needed.at(-1)?.name ?? '', 'did not answer in time');
    await sleep(100);
  }
}

/**
 * Does something for which all components of a node must run.
 * @throws Error that names the component that ended meanwhile, with the end of its log.
 */
export async function whileComponentsRun(state: StateLayout, work: () => Promise<void>): Promise<void> {
  const watch = new AbortController();
  try {
    await Promise.race([watchComponents(state, watch.signal), work()]);
  } finally {
    watch.abort();
  }
}

/** Rejects when a component ends; resolves when it is told to end itself. */
async function watchComponents(state: StateLayout, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const record of await readRecords(state.processes)) {
      if (!(await isRunning(record)) && !signal.aborted) throw await failure(state, record.name, 'ended');
    }
    await sleep(500);
  }
}

async function failure(state: StateLayout, name: string, what: string): Promise<Error> {
  const file = path.join(state.logs, `${name}.log`);
  const log = await readFile(file, 'utf8').catch(() => '');
  return new Error(`${name} ${what}; the end of ${file}:\n${log.trim().split('\n').slice(-LOG_LINES).join('\n')}`);
}
