import { setTimeout as sleep } from 'node:timers/promises';
import type { AdsTestbed } from './ads-testbed.ts';
import type { ChangeKind } from './messages.ts';

const KINDS: readonly ChangeKind[] = ['endpoints', 'virtualService', 'destinationRule'];

/**
 * Gives what makes changes for so many ms: of one Service after the other, of one kind after the other.
 * @param everyMs from one change to the next
 */
export function steadyChanges(services: number, everyMs: number): (testbed: AdsTestbed, ms: number) => Promise<void> {
  let made = 0;
  return async (testbed, ms) => {
    const begun = performance.now();
    for (let nth = 1; nth * everyMs <= ms; nth++) {
      made += 1;
      await testbed.publish(KINDS[made % KINDS.length] ?? 'endpoints', (made * 7) % services, made);
      await sleep(Math.max(0, begun + nth * everyMs - performance.now()));
    }
  };
}
