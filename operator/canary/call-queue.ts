interface Job {
  readonly owner: string;
  readonly run: () => Promise<void>;
}

/** Calls at the same time: of all owners together, and of each, lest the slow servers of one hold up the others. */
export interface QueueBounds {
  readonly atOnce: number;
  readonly atOnceEach: number;
}

/** Work that waits for its turn. Each is done once, in order where bounds allow. */
export class CallQueue {
  readonly #bounds: QueueBounds;
  readonly #running = new Map<string, number>();
  #waiting: Job[] = [];
  #busy = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  /** How much waits. */
  get length(): number {
    return this.#waiting.length;
  }

  /** @param run must not throw */
  add(owner: string, run: () => Promise<void>): void {
    this.#waiting.push({ owner, run });
    this.#next();
  }

  /** Forgets all that waits; what is being done goes on. */
  clear(): void {
    this.#waiting = [];
  }

  #next(): void {
    const { atOnce, atOnceEach } = this.#bounds;
    while (this.#busy < atOnce) {
      const index = this.#waiting.findIndex(({ owner }) => (this.#running.get(owner) ?? 0) < atOnceEach);
      const [job] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (!job) return;
      this.#busy += 1;
      this.#count(job.owner, 1);
      void job.run().finally(() => {
        this.#busy -= 1;
        this.#count(job.owner, -1);
        this.#next();
      });
    }
  }

  #count(owner: string, by: number): void {
    const count = (this.#running.get(owner) ?? 0) + by;
    if (count > 0) this.#running.set(owner, count);
    else this.#running.delete(owner);
  }
}
