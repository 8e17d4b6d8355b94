import type { Clock } from './clock.ts';

/** A budget of writes over all objects (a token bucket), so that status never crowds out others at the API server. */
export class WriteBudget {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #tokens: number;
  #at: number;

  /** @param perSecond writes per second on average, and at once after a pause */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#at = clock.now();
  }

  /**
   * Takes one write out of the budget.
   * @returns 0 when it was there, else the ms until it will be
   */
  take(): number {
    const now = this.#clock.now();
    const earned = (Math.max(0, now - this.#at) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + earned);
    this.#at = now;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000);
    this.#tokens -= 1;
    return 0;
  }
}
