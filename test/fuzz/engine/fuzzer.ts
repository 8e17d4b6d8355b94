import type { Target } from '../target.ts';
import { Corpus } from './corpus.ts';
import type { Coverage } from './instrument.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { StallError, Stopwatch } from './stopwatch.ts';

/** Whoever watches a run. */
export interface FuzzObserver {
  /** Is told of each input before it is run. */
  next(input: Uint8Array): void;
  /** Is called from time to time, when nothing runs. */
  pause(): Promise<void>;
}

/** How a run went. */
export interface FuzzResult {
  readonly runs: number;
  /** Most CPU time that one input took, in ms. */
  readonly worstMs: number;
  /** Branches taken, and all there are in the modules that were loaded. */
  readonly taken: number;
  readonly branches: number;
  /** Inputs that took new ways. */
  readonly kept: number;
  /** What the target did that it must not; the last input is to blame. */
  readonly problem?: string;
}

/** Inputs between two pauses. */
const PAUSE = 2000;

/** Runs a target on the largest inputs there are. */
export async function tryLargest(target: Target, observer: FuzzObserver): Promise<FuzzResult> {
  const stopwatch = new Stopwatch();
  let runs = 0;
  const problem = await problemOf(async () => {
    for (const input of target.largest()) {
      runs++;
      observer.next(input);
      await stopwatch.run(target, input);
    }
  });
  return { runs, worstMs: stopwatch.worstMs, taken: 0, branches: 0, kept: 0, ...problem };
}

/**
 * Runs a target on many inputs: its seeds, and what becomes of them by changes, on from where those led to something new.
 * @param runs how many in all
 * @param seed the same number leads to the same inputs
 */
export async function fuzz(
  target: Target,
  runs: number,
  seed: number,
  coverage: Coverage,
  observer: FuzzObserver,
): Promise<FuzzResult> {
  const random = new Random(seed);
  const corpus = new Corpus(coverage.counters);
  const words = [...coverage.words].map((word) => Buffer.from(word));
  const stopwatch = new Stopwatch();
  let count = 0;
  let last: Uint8Array = new Uint8Array();
  const take = async (input: Uint8Array): Promise<void> => {
    count++;
    last = input;
    observer.next(input);
    const running = stopwatch.run(target, input);
    if (running !== undefined) await running;
    corpus.note(input, coverage.branches());
    if (count % PAUSE === 0) await observer.pause();
  };
  // Most inputs are refused by what is thrown; without a stack that takes a third of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const found = await problemOf(async () => {
    for (const input of target.seeds) await take(input);
    while (count < runs) await take(mutate(target.form, corpus.pick(random), corpus.pick(random), words, random));
  });
  Error.stackTraceLimit = stackTraceLimit;
  const problem = found.problem === undefined ? {} : { ...found, ...(await problemOf(async () => target.run(last))) };
  const { branches: taken, inputs } = corpus;
  const seen = { taken, branches: coverage.branches(), kept: inputs.length };
  return { runs: count, worstMs: stopwatch.worstMs, ...seen, ...problem };
}

async function problemOf(run: () => Promise<void>): Promise<{ readonly problem?: string }> {
  try {
    await run();
    return {};
  } catch (error) {
    const isOurs = error instanceof StallError || !(error instanceof Error);
    return { problem: isOurs ? String(error) : (error.stack ?? error.message) };
  }
}
