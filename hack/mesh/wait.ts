import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/**
 * Asks again and again until there is an answer.
 * @param what named in the error, e.g. "3 pods of ordering ready"
 * @param probe gives the answer, or undefined for not yet; what it throws counts as not yet and is told in the error
 * @param options 60 s in all and 250 ms between questions unless told
 * @throws {Error} when the time is over, with the last thing the probe threw
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  options: WaitOptions = {},
): Promise<T> {
  const { timeoutMs = 60_000, everyMs = 250 } = options;
  const end = performance.now() + timeoutMs;
  let last = '';
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = `; last: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > end) throw new Error(`waited ${Math.round(timeoutMs / 1000)} s for ${what}${last}`);
    await sleep(everyMs);
  }
}

/** Like `waitFor`, for a probe that says yes or no, and why not. @param probe gives undefined for yes, else what is amiss */
export async function waitUntil(
  what: string,
  probe: () => Promise<string | undefined>,
  options: WaitOptions = {},
): Promise<void> {
  const check = async (): Promise<true> => {
    const problem = await probe();
    if (problem !== undefined) throw new Error(problem);
    return true;
  };
  await waitFor(what, check, options);
}
