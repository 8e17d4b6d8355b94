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
/** So long, in ms, keys are begun in one turn of the event loop. Where the handler waits for nothing, one would follow the other until none is left. */
const TURN_MS = 5;
/** Of so many keys that are begun one at least is none that is due, where any waits. */
const OTHERS_TURN = 4;

/** Keys to be worked on: each at most once in the queue, one worker per key, in the order of arrival, those that are due before others. */
export class WorkQueue {
  readonly #concurrency: number;
  readonly #backoffMs: readonly [number, number];
  readonly #waiting = new Set<string>();
  /** Those that wait and are due. */
  readonly #due = new Set<string>();
  readonly #working = new Set<string>();
  /** Added while being worked on: once more afterwards; with whether they are due. */
  readonly #again = new Map<string, boolean>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #dueTimers = new Map<string, NodeJS.Timeout>();
  readonly #backoffs = new Map<string, Backoff>();
  readonly #idleWaiters: (() => void)[] = [];
  #handler: ((key: string) => Promise<void>) | undefined;
  #stopped = false;
  /** Keys are about to be begun. */
  #woken = false;
  /** When no more of them are begun in this turn of the event loop, in ms of the process's clock; undefined: none was yet. */
  #turnEnds: number | undefined;
  /** Keys that were begun since one was that is not due. */
  #dueInARow = 0;

  constructor(options: WorkQueueOptions = {}) {
    this.#concurrency = options.concurrency ?? 4;
    this.#backoffMs = options.backoffMs ?? [100, 60_000];
  }

  /** Keys that wait (not those that are delayed or under work). */
  get length(): number {
    return this.#waiting.size + this.#due.size + this.#again.size;
  }

  /** Begins to work. The handler must handle its own errors; one that is thrown here counts as done. */
  run(handler: (key: string) => Promise<void>): void {
    this.#handler = handler;
    this.#wake();
  }

  add(key: string): void {
    this.#add(key, false);
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

  /** Says when a key is due, from which moment on it goes before others; a later call moves that. Undefined: it is no more. */
  dueAfter(key: string, delayMs: number | undefined): void {
    if (this.#stopped) return;
    clearTimeout(this.#dueTimers.get(key));
    this.#dueTimers.delete(key);
    if (delayMs === undefined) return;
    const timer = setTimeout(
      () => {
        this.#dueTimers.delete(key);
        this.#add(key, true);
      },
      Math.min(delayMs, MAX_TIMER_MS),
    );
    this.#dueTimers.set(key, timer);
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
    for (const timer of this.#dueTimers.values()) clearTimeout(timer);
    this.#dueTimers.clear();
    this.#waiting.clear();
    this.#due.clear();
    this.#again.clear();
    if (this.#working.size > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  #add(key: string, isDue: boolean): void {
    if (this.#stopped) return;
    if (this.#working.has(key)) this.#again.set(key, isDue || this.#again.get(key) === true);
    else this.#put(key, isDue);
    this.#wake();
  }

  #put(key: string, isDue: boolean): void {
    if (this.#due.has(key)) return;
    if (isDue) this.#waiting.delete(key);
    (isDue ? this.#due : this.#waiting).add(key);
  }

  /** Who adds a key goes on first: nothing is begun in the middle of what it does. */
  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      this.#next();
    });
  }

  #next(): void {
    const handler = this.#handler;
    if (!handler) return;
    while (this.#working.size < this.#concurrency) {
      const key = this.#first();
      if (key === undefined || !this.#mayBegin()) return;
      this.#dueInARow = this.#due.delete(key) ? this.#dueInARow + 1 : 0;
      this.#waiting.delete(key);
      this.#working.add(key);
      void this.#work(handler, key);
    }
  }

  /** Which key is next: one that is due, unless others have waited for as many as they should. */
  #first(): string | undefined {
    const [due] = this.#due;
    const [other] = this.#waiting;
    return this.#dueInARow < OTHERS_TURN - 1 ? (due ?? other) : (other ?? due);
  }

  async #work(handler: (key: string) => Promise<void>, key: string): Promise<void> {
    try {
      await handler(key);
    } catch {
      // It is done all the same.
    }
    this.#done(key);
  }

  /** Whether there is time for one more key in this turn of the event loop; if not, the next turn goes on. */
  #mayBegin(): boolean {
    const now = performance.now();
    if (this.#turnEnds !== undefined) return now < this.#turnEnds;
    this.#turnEnds = now + TURN_MS;
    setImmediate(() => {
      this.#turnEnds = undefined;
      this.#next();
    });
    return true;
  }

  #done(key: string): void {
    this.#working.delete(key);
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again !== undefined) this.#put(key, again);
    if (this.#working.size === 0 && this.#waiting.size === 0) {
      for (const resolve of this.#idleWaiters.splice(0)) resolve();
    }
    this.#next();
  }
}
