import type { WorkloadUid } from '../mesh/snapshot.ts';

/** Remembers since when proxies have sent no report, to tell a reconnection from a loss. */
export class Absence {
  readonly #graceMs: number;
  readonly #since = new Map<WorkloadUid, number>();

  /** @param graceMs how long a reconnection may take, in ms */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** A report of this proxy is there. */
  seen(uid: WorkloadUid): void {
    this.#since.delete(uid);
  }

  /**
   * A report of this proxy is not there.
   * @param now ms since the epoch
   * @returns how long it may still be reconnecting, in ms; 0 once it counts as lost
   */
  missed(uid: WorkloadUid, now: number): number {
    const since = this.#since.get(uid) ?? now;
    this.#since.set(uid, since);
    return Math.max(0, since + this.#graceMs - now);
  }

  /** Forgets the proxies that are gone; without an argument, all. */
  forget(isGone: (uid: WorkloadUid) => boolean = () => true): void {
    for (const uid of this.#since.keys()) if (isGone(uid)) this.#since.delete(uid);
  }
}
