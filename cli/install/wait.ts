import { setTimeout as sleep } from 'node:timers/promises';
import { durationMs } from '../../api/duration.ts';
import { CliError } from '../cli-error.ts';
import { formatSeconds } from '../terminal/estimate.ts';
import { startProgress } from '../terminal/progress.ts';

const POLL_MS = 500;

/**
 * Waits until nothing is missing any more, and shows what is.
 * @param title what is waited for, for the line of progress
 * @param look gives what is missing, a sentence each
 * @param timeoutMs then it is given up
 * @throws {CliError} with what is missing still
 */
export async function waitUntilNothing(
  title: string,
  look: () => Promise<readonly string[]>,
  timeoutMs: number,
  next: string,
): Promise<void> {
  const bar = startProgress(title);
  const start = Date.now();
  let most = 1;
  for (;;) {
    const left = await look();
    most = Math.max(most, left.length);
    const seconds = (Date.now() - start) / 1000;
    if (left.length === 0) return bar.finish(`done (${formatSeconds(seconds)})`);
    if (seconds * 1000 > timeoutMs) {
      bar.finish(`given up after ${formatSeconds(seconds)}`);
      throw new CliError(`${title}: still missing:\n  ${left.join('\n  ')}`, next);
    }
    bar.update(1 - left.length / most, left[0] ?? '');
    await sleep(POLL_MS);
  }
}

/**
 * Reads a duration of a flag.
 * @returns ms
 * @throws {CliError} with code 2 naming the flag
 */
export function readTimeout(text: string, flag = '--timeout'): number {
  try {
    return durationMs(text);
  } catch (error) {
    throw new CliError(`${flag}: ${(error as Error).message}`, undefined, 2);
  }
}
