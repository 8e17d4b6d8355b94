import { Agenda } from './agenda.ts';
import { Budget } from './budget.ts';
import type { Clock } from './clock.ts';

/** Units per second. */
interface Rates {
  readonly clock: Clock;
  readonly writesPerSecond: number;
  readonly checksPerSecond: number;
}

/** Judgements, and what they cost, in one go, so that the event loop is free in between. */
const BATCH = 50;
const BATCH_CHECKS = 5000;

/**
 * Judges items when they are due, within two budgets: while no write could be made none is judged, for it would be judged in vain, and what
 * judgements cost is bounded.
 */
export class JudgementLoop<T> {
  readonly #clock: Clock;
  readonly #agenda = new Agenda<T>();
  readonly #writes: Budget;
  readonly #checks: Budget;
  readonly #judge: (item: T) => number;
  #wake: { readonly at: number; readonly cancel: () => void } | undefined;

  /** @param judge gives what it cost, in checks */
  constructor({ clock, writesPerSecond, checksPerSecond }: Rates, judge: (item: T) => number) {
    this.#clock = clock;
    this.#writes = new Budget(clock, writesPerSecond);
    this.#checks = new Budget(clock, checksPerSecond);
    this.#judge = judge;
  }

  /** Has an item judged at a time, in ms since the epoch, before all idle ones. */
  add(item: T, at: number): void {
    this.#agenda.add(item, at);
    this.#wakeAt(at);
  }

  /** Has an item judged in its turn, from a time on that is none before that of the last one. */
  addIdle(item: T, at: number): void {
    this.#agenda.addIdle(item, at);
    this.#wakeAt(at);
  }

  /** To be called at each write. */
  spendWrite(): void {
    this.#writes.spend(1);
  }

  clear(): void {
    this.#agenda.clear();
    this.#wake?.cancel();
    this.#wake = undefined;
  }

  #wakeAt(at: number): void {
    if (this.#wake !== undefined && this.#wake.at <= at) return;
    this.#wake?.cancel();
    const cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#wake = undefined;
      this.#work();
    });
    this.#wake = { at, cancel };
  }

  #work(): void {
    const now = this.#clock.now();
    let cost = 0;
    for (let count = 0; count < BATCH && cost < BATCH_CHECKS && this.#budgetWait() === 0; count += 1) {
      const item = this.#agenda.take(now);
      if (item === undefined) break;
      const spent = this.#judge(item);
      this.#checks.spend(spent);
      cost += spent;
    }
    const next = this.#agenda.nextAt();
    if (next !== undefined) this.#wakeAt(Math.max(next, this.#clock.now() + this.#budgetWait()));
  }

  #budgetWait(): number {
    return Math.max(this.#writes.wait(), this.#checks.wait());
  }
}
