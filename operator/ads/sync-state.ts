import type { Subscription } from './subscription.ts';

/** How far a proxy is with what it is to have of one type. */
export interface TypeSync {
  readonly typeUrl: string;
  /** Resources that it has, or was sent. */
  readonly held: number;
  /** Of what it is to have, what is on its way to it, or waits to be sent. */
  readonly stale: number;
  /** For how long it was waited for an answer to what was sent, or for what is to be sent, in ms; 0: for nothing. */
  readonly waitedMs: number;
}

/** How far a stream is, by type. Costs as much as what is on its way. */
export function syncOf(subscriptions: Iterable<Subscription>): TypeSync[] {
  const now = performance.now();
  return [...subscriptions].map((subscription) => {
    const { typeUrl, dirty, inFlight, waitingSince = now } = subscription;
    const sent = inFlight?.names.filter((name) => !dirty.has(name)).length ?? 0;
    return {
      typeUrl,
      held: subscription.size,
      stale: dirty.size + sent,
      waitedMs: now - Math.min(inFlight?.sentAt ?? now, waitingSince),
    };
  });
}
