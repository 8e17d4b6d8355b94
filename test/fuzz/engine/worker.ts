/** Runs one target in a thread of its own, so that it can be ended and its memory is bounded. */
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { loadTarget } from '../registry.ts';
import { bytesInUse } from './bytes-in-use.ts';
import { type FuzzObserver, type FuzzResult, fuzz, tryLargest } from './fuzzer.ts';
import { instrument } from './instrument.ts';
import { SharedInput } from './shared-input.ts';

/** What the thread is given. */
export interface WorkerTask {
  readonly name: string;
  /** How many inputs; undefined: the largest there are, by the code as it is, without anything that counts its branches. */
  readonly runs: number | undefined;
  readonly seed: number;
  readonly shared: SharedArrayBuffer;
}

/** What it answers. */
export interface WorkerResult extends FuzzResult {
  readonly seconds: number;
  /** Bytes in use at the end beyond those near the beginning. */
  readonly growth: number;
}

/** By this pause, or a fifth of the way, what is compiled and kept for good is there. */
const WARM = 20;

async function run({ name, runs, seed, shared }: WorkerTask): Promise<WorkerResult> {
  const input = new SharedInput(shared);
  let [pauses, before] = [0, 0];
  const observer: FuzzObserver = {
    next: (bytes) => input.write(bytes),
    pause: async () => {
      await turn();
      if (++pauses === Math.ceil(Math.min(WARM, (runs ?? 0) / 10_000))) before = bytesInUse();
    },
  };
  const coverage = runs === undefined ? undefined : instrument();
  const target = await loadTarget(name);
  const begun = performance.now();
  const result =
    runs === undefined || coverage === undefined
      ? await tryLargest(target, observer)
      : await fuzz(target, runs, seed, coverage, observer);
  const seconds = (performance.now() - begun) / 1000;
  return { ...result, seconds, growth: before === 0 ? 0 : bytesInUse() - before };
}

parentPort?.postMessage(await run(workerData as WorkerTask));
