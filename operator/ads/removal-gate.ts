import type { Subscription } from './subscription.ts';

/** Removals that wait together. */
interface Batch {
  /** Those that came back in the meantime are out of it. */
  names: ReadonlySet<string>;
  /** Which of its whole responses each routing type must have acknowledged. */
  readonly targets: ReadonlyMap<Subscription, number>;
  /** When they may go, in ms of the process's clock; undefined while some routing type is behind. */
  clearAt: number | undefined;
}

/** What may go now. */
export interface Release {
  readonly names: readonly string[];
  /** After so many ms it is worth asking again; 0: after the next answer of the proxy. */
  readonly waitMs: number;
}

const NOTHING: Release = { names: [], waitMs: 0 };

/**
 * Holds back removals of clusters until nothing that the proxy has in force can name them: all routing types have acknowledged a whole response that was
 * sent after the removals were due, and requests that were under way have had some time. What changes later does not hold them up any longer.
 */
export class RemovalGate {
  private readonly delayMs: number;
  private batch: Batch | undefined;

  /** @param delayMs how long clusters outlive the acknowledged removal of the last route to them */
  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  /**
   * @param due names of clusters that are to be removed
   * @param routing subscriptions of the types that route to clusters
   * @param now ms of the process's clock
   */
  release(due: readonly string[], routing: readonly Subscription[], now: number): Release {
    if (due.length === 0) {
      this.batch = undefined;
      return NOTHING;
    }
    const waiting = due.filter((name) => this.batch?.names.has(name));
    // Where all came back, what is due now has none to wait with.
    const batch = this.batch === undefined || waiting.length === 0 ? openBatch(due, routing, this.delayMs) : this.batch;
    if (batch === this.batch) batch.names = new Set(waiting);
    this.batch = batch;
    // A proxy that rejected its new routes still uses the old ones, and the clusters these name.
    if (routing.some(({ rejected }) => rejected.size > 0)) return NOTHING;
    if (batch.clearAt === undefined) {
      for (const [subscription, target] of batch.targets) if (isBehind(subscription, target)) return NOTHING;
      batch.clearAt = now + this.delayMs;
    }
    if (now < batch.clearAt) return { names: [], waitMs: batch.clearAt - now };
    this.batch = undefined;
    return { names: [...batch.names], waitMs: 0 };
  }
}

function openBatch(due: readonly string[], routing: readonly Subscription[], delayMs: number): Batch {
  const targets = new Map<Subscription, number>();
  for (const subscription of routing) {
    const { inFlight, isOwing, wholeSent } = subscription;
    if (isOwing) targets.set(subscription, wholeSent + 1);
    else if (inFlight !== undefined) targets.set(subscription, wholeSent);
  }
  const lastAnswer = Math.max(0, ...routing.map(({ answeredAt }) => answeredAt));
  const quiet = targets.size === 0;
  return { names: new Set(due), targets, clearAt: quiet ? (lastAnswer === 0 ? 0 : lastAnswer + delayMs) : undefined };
}

/** What was to be sent may turn out to be as it was, or not to be asked for any more: then no response comes, and nothing is left to wait for. */
function isBehind(subscription: Subscription, target: number): boolean {
  return subscription.wholeAcked < target && !subscription.isIdle;
}
