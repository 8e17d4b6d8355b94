import type { Target } from '../target.ts';

/** An input may take so much CPU time, in ms: nobody else is served meanwhile. */
const STALL_MS = 200;
/** An input that seems slow is run so often again; what it takes at least is its own, the rest is the machine's. */
const AGAIN = 3;

/** An input took too long. */
export class StallError extends Error {
  override readonly name = 'StallError';
}

/** Keeps the most CPU time that an input took. */
export class Stopwatch {
  worstMs = 0;

  /**
   * Runs a target once, and again when that took longer than any before.
   * @returns undefined when it is done already
   * @throws {StallError} and what the target throws
   */
  run(target: Target, input: Uint8Array): Promise<void> | undefined {
    const begun = performance.now();
    const running = target.run(input);
    if (running !== undefined) return running.then(() => this.#settle(target, input, performance.now() - begun));
    const took = performance.now() - begun;
    return took > this.worstMs ? this.#settle(target, input, took) : undefined;
  }

  async #settle(target: Target, input: Uint8Array, took: number): Promise<void> {
    // Clocks are cheap to read but go on while others run.
    if (took <= this.worstMs) return;
    let least = Number.POSITIVE_INFINITY;
    for (let run = 0; run < AGAIN && least > this.worstMs; run++) {
      const before = process.threadCpuUsage();
      await target.run(input);
      const { user, system } = process.threadCpuUsage(before);
      least = Math.min(least, (user + system) / 1000);
    }
    this.worstMs = Math.max(this.worstMs, least);
    if (least > STALL_MS) throw new StallError(`it takes ${Math.round(least)} ms of CPU, and may take ${STALL_MS}`);
  }
}
