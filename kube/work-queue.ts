import { Backoff } from './backoff.ts';

export interface WorkQueueOptions {
  /** How many keys are worked on at once; default 4. One key is never worked on twice at once. */
  readonly concurrency?: number;
  /** First and longest delay of `addRateLimited`; milliseconds, default 100 and 60,000. */
  readonly backoffMs?: readonly [number, number];
}

interface Delayed {
  readonly due: number;
  readonly timer: NodeJS.Timeout;
}

/** Longest delay of a Node timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Keys to be worked on: each at most once in the queue, one worker per key, in the order of arrival. */
export class WorkQueue {
  readonly #concurrency: number;
  readonly #backoffMs: readonly [number, number];
  readonly #waiting = new Set<string>();
  readonly #working = new Set<string>();
  /** Added while being worked on: once more afterwards. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #backoffs = new Map<string, Backoff>();
  readonly #idleWaiters: (() => void)[] = [];
  #handler: ((key: string) => Promise<void>) | undefined;
  #stopped = false;

  constructor(options: WorkQueueOptions = {}) {
    this.#concurrency = options.concurrency ?? 4;
    this.#backoffMs = options.backoffMs ?? [100, 60_000];
  }

  /** Keys that wait (not those that are delayed or under work). */
  get length(): number {
    return this.#waiting.size + this.#again.size;
  }

  /** Begins to work. The handler must handle its own errors; one that is thrown here counts as done. */
  run(handler: (key: string) => Promise<void>): void {
    this.#handler = handler;
    this.#next();
  }

  add(key: string): void {
    if (this.#stopped) return;
    if (this.#working.has(key)) this.#again.add(key);
    else this.#waiting.add(key);
    this.#next();
  }

  /** Adds a key later; the earliest of several times counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const due = performance.now() + delayMs;
    const known = this.#delayed.get(key);
    if (known && known.due <= due) return;
    if (known) clearTimeout(known.timer);
    const timer = setTimeout(
      () => {
        this.#delayed.delete(key);
        this.add(key);
      },
      Math.min(delayMs, MAX_TIMER_MS),
    );
    this.#delayed.set(key, { due, timer });
  }

  /** Adds a key after a delay that doubles each time until `forget`. Gives the delay in milliseconds. */
  addRateLimited(key: string): number {
    const backoff = this.#backoffs.get(key) ?? new Backoff(...this.#backoffMs);
    this.#backoffs.set(key, backoff);
    const delay = backoff.next();
    this.addAfter(key, delay);
    return delay;
  }

  /** Resets a key's delay: the work succeeded. */
  forget(key: string): void {
    this.#backoffs.delete(key);
  }

  /** Takes no more keys, drops those that wait, and resolves when the ones under work are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#delayed.clear();
    this.#waiting.clear();
    this.#again.clear();
    if (this.#working.size > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  #next(): void {
    const handler = this.#handler;
    if (!handler) return;
    while (this.#working.size < this.#concurrency) {
      const [key] = this.#waiting;
      if (key === undefined) break;
      this.#waiting.delete(key);
      this.#working.add(key);
      // In a microtask of its own, so that a handler that throws at once is no different.
      Promise.resolve()
        .then(() => handler(key))
        .catch(() => {})
        .then(() => this.#done(key));
    }
  }

  #done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.#waiting.add(key);
    if (this.#working.size === 0 && this.#waiting.size === 0) {
      for (const resolve of this.#idleWaiters.splice(0)) resolve();
    }
    this.#next();
  }
}
