import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SharedInput } from './shared-input.ts';
import type { WorkerResult, WorkerTask } from './worker.ts';

/** What came of a target. */
export interface TargetReport extends WorkerResult {
  readonly name: string;
  /** Most CPU time that one of the largest inputs took, in ms. */
  readonly largestMs: number;
  /** What is to blame for the problem, when there is one. */
  readonly input?: Buffer;
}

/** Heap of a target, in MiB: half of what the operator's pod may have. */
const HEAP_MIB = 512;
/** What an input leaves behind is gone before it is copied: with less, collecting it takes a third of the time. */
const YOUNG_MIB = 64;
/** A target may keep so much of what it read, in bytes: its stores are bounded. */
const MAX_GROWTH = 64 << 20;
/** An input that has taken so much CPU time never ends, nor does one that has waited for so long, in ms; that it takes too long is found before. */
const [HANG_CPU_MS, HANG_MS] = [60_000, 600_000];
const LOOK_MS = 200;

/**
 * Runs a target, on the largest inputs there are and then on many.
 * @param progress is told how many inputs have run
 */
export async function runTarget(
  name: string,
  runs: number,
  seed: number,
  progress: (count: number) => void,
): Promise<TargetReport> {
  const largest = await runThread({ name, runs: undefined, seed }, () => undefined);
  if (largest.problem !== undefined) return { name, ...largest, largestMs: largest.worstMs };
  const many = await runThread({ name, runs, seed }, progress);
  const problem = many.problem ?? growthProblem(many.growth);
  return { name, ...many, largestMs: largest.worstMs, ...(problem === undefined ? {} : { problem }) };
}

type ThreadResult = WorkerResult & Pick<TargetReport, 'input'>;

async function runThread(task: Omit<WorkerTask, 'shared'>, progress: (count: number) => void): Promise<ThreadResult> {
  const shared = new SharedInput();
  const worker = new Worker(join(import.meta.dirname, 'worker.ts'), {
    workerData: { ...task, shared: shared.memory },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, maxYoungGenerationSizeMb: YOUNG_MIB },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const over = new AbortController();
  const begun = performance.now();
  try {
    const result = once(worker, 'message').then(([message]) => message as WorkerResult);
    return { ...(await Promise.race([result, hang(shared, progress, over.signal)])), input: shared.read() };
  } catch (error) {
    // Out of memory, or never done.
    const seconds = (performance.now() - begun) / 1000;
    const nothing = { taken: 0, branches: 0, kept: 0, worstMs: 0, growth: 0 };
    return { ...nothing, runs: shared.count, seconds, problem: String(error), input: shared.read() };
  } finally {
    over.abort();
    await worker.terminate();
  }
}

function growthProblem(growth: number): string | undefined {
  if (growth <= MAX_GROWTH) return undefined;
  return `it keeps ${growth >> 20} MiB of what it read, and may keep ${MAX_GROWTH >> 20}`;
}

/** Never resolves. @throws {Error} when an input does not come to an end */
async function hang(shared: SharedInput, progress: (count: number) => void, signal: AbortSignal): Promise<never> {
  let [count, since, spent] = [0, performance.now(), process.cpuUsage()];
  while (!signal.aborted) {
    await sleep(LOOK_MS);
    progress(shared.count);
    if (shared.count !== count) [count, since, spent] = [shared.count, performance.now(), process.cpuUsage()];
    if (count === 0) continue;
    const { user, system } = process.cpuUsage(spent);
    const cpuMs = (user + system) / 1000;
    const ms = performance.now() - since;
    if (cpuMs > HANG_CPU_MS || ms > HANG_MS)
      throw new Error(`it has not come to an end in ${Math.round(ms)} ms, ${Math.round(cpuMs)} of them at work`);
  }
  return new Promise<never>(() => undefined);
}
