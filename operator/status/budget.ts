import type { Clock } from './clock.ts';

/** So many units per second (a token bucket), so that status never crowds out other work. */
export class Budget {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #tokens: number;
  #at: number;

  /** @param perSecond units per second on average, and at once after a pause */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#at = clock.now();
  }

  /** @returns 0 when a unit is there, else the ms until it will be */
  wait(): number {
    this.#earn();
    return this.#tokens < 1 ? Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000) : 0;
  }

  /** Takes units out; more than are there make others wait for longer. */
  spend(units: number): void {
    this.#earn();
    this.#tokens -= units;
  }

  #earn(): void {
    const now = this.#clock.now();
    const earned = (Math.max(0, now - this.#at) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + earned);
    this.#at = now;
  }
}
