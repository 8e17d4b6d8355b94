import { listNames } from './name-list.ts';
import { namespacedName, type ObjectKey } from './object-ref.ts';
import type { OverlapTally } from './overlap-tally.ts';

/** Others that a condition names. */
const NAMED = 5;

/** Which other policies of its kind are about some of the same pods: whoever reads one is to know that it is not alone. */
export function noteOthers(overlap: OverlapTally, key: ObjectKey): string[] {
  const others = overlap.beside(key).map(namespacedName);
  return others.length === 0 ? [] : [`Also about some of its pods: ${listNames(others, NAMED)}.`];
}
