import { setTimeout as sleep } from 'node:timers/promises';

/** Waits. @param signal ends it early */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
