import type { XdsResource } from '../xds/resource.ts';
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
 * What of the pending goes into the next response: where some have to travel together, those that change and those that go, before any that are new.
 * @param responseBytes bytes of resources that fill a response
 */
export function chooseResources(
  subscription: Subscription,
  { upserts, removed, more }: Pending,
  part: Part,
  responseBytes: number,
): Choice {
  const { goesTogether, maxNames } = subscription;
  // While a culprit is looked for, removals go by themselves, lest they be refused with it.
  if (part === 'both' && removed.length > 0 && Number.isFinite(maxNames)) {
    return { chosen: { upserts: [], removed, more: upserts.length > 0 }, whole: upserts.length === 0 && !more };
  }
  const isTogether = ({ name }: XdsResource): boolean => goesTogether && subscription.holds(name);
  const together = upserts.filter(isTogether);
  const ordered = together.length === 0 ? upserts : [...together, ...upserts.filter((one) => !isTogether(one))];
  const chosen: XdsResource[] = [];
  let bytes = 0;
  for (const resource of ordered) {
    bytes += resource.bytes.length;
    const full = bytes > responseBytes && chosen.length >= Math.max(1, together.length);
    if (full || chosen.length >= maxNames) break;
    chosen.push(resource);
  }
  const whole = !more && chosen.length === upserts.length;
  const goes = part === 'both' && (whole || goesTogether);
  // What it does not have nothing uses: that it does not exist is an answer, for which requests may be waiting.
  const gone = goes ? removed : removed.filter((name) => !subscription.holds(name));
  return { chosen: { upserts: chosen, removed: gone, more: !whole }, whole };
}
