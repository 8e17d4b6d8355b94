import type { CheckContext } from './context.ts';

/** `warning`: works, but something will not, or not long. `skipped`: can't be known here. */
export type Level = 'ok' | 'warning' | 'failed' | 'skipped';

/** One sentence on the state of the cluster. */
export interface Finding {
  readonly level: Level;
  readonly message: string;
  /** What to do about it; undefined where nothing is to be done. */
  readonly next?: string;
}

/** Something that is looked at. */
export interface Check {
  readonly category: string;
  /** What is looked at, for progress and for when it can't be. */
  readonly title: string;
  /** Where it fails there is nothing else to look at. */
  readonly essential?: boolean;
  /** @throws what the API throws; then it counts as skipped where a right is missing */
  run(context: CheckContext): Promise<readonly Finding[]>;
}

export const ok = (message: string): Finding => ({ level: 'ok', message });
export const warning = (message: string, next: string): Finding => ({ level: 'warning', message, next });
export const failed = (message: string, next: string): Finding => ({ level: 'failed', message, next });
export const skipped = (message: string, next?: string): Finding => ({
  level: 'skipped',
  message,
  ...(next === undefined ? {} : { next }),
});

/** Names for people: the first three, and how many more there are. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
