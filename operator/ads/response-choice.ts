import type { Pending } from './pending.ts';
import type { Subscription } from './subscription.ts';

/** What one response may hold of a type; removals of clusters that a proxy has go by themselves. */
export type Part = 'upserts' | 'both';

/** What goes into a response, and whether nothing of its part is left out. */
interface Choice {
  readonly chosen: Pending;
  readonly whole: boolean;
}

/**
 * What of the pending goes into the next response.
 * @param responseBytes bytes of resources that fill a response
 */
export function chooseResources(
  subscription: Subscription,
  { upserts, removed, more }: Pending,
  part: Part,
  responseBytes: number,
): Choice {
  const { maxNames } = subscription;
  // While a culprit is looked for, removals go by themselves, lest they be refused with it.
  if (part === 'both' && removed.length > 0 && Number.isFinite(maxNames)) {
    return { chosen: { upserts: [], removed, more: upserts.length > 0 }, whole: upserts.length === 0 && !more };
  }
  let count = 0;
  for (let bytes = 0; count < Math.min(upserts.length, maxNames); count++) {
    bytes += upserts[count]?.bytes.length ?? 0;
    if (bytes > responseBytes && count > 0) break;
  }
  const chosen = count === upserts.length ? upserts : upserts.slice(0, count);
  const whole = !more && count === upserts.length;
  // What it does not have nothing uses: that it does not exist is an answer, for which requests may be waiting.
  const gone = part === 'both' && whole ? removed : removed.filter((name) => !subscription.holds(name));
  return { chosen: { upserts: chosen, removed: gone, more: !whole }, whole };
}
