/** Longest delay of a Node timer, 24.8 days; waking up early only means to look again. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Entry {
  readonly key: string;
  readonly at: number;
}

/** Calls back for each key at its time, with one Node timer for all of them, however many there are. */
export class DeadlineHeap {
  readonly #heap: Entry[] = [];
  /** The entry that counts for a key; older ones stay in the heap and are passed over. */
  readonly #current = new Map<string, Entry>();
  readonly #onDue: (key: string) => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds since 1970: certificates live by the wall clock, which may jump */
  constructor(onDue: (key: string) => void, now: () => number = Date.now) {
    this.#onDue = onDue;
    this.#now = now;
  }

  get size(): number {
    return this.#current.size;
  }

  /** Sets a key's time (milliseconds since 1970) in place of an earlier one. */
  set(key: string, at: number): void {
    const entry = { key, at };
    this.#current.set(key, entry);
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#current.size) this.#compact();
    if (this.#heap[0] === entry) this.#arm();
  }

  delete(key: string): void {
    this.#current.delete(key);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#heap.length = 0;
    this.#current.clear();
  }

  /** Calls back for all keys whose time has come. */
  fire(): void {
    for (let top = this.#heap[0]; top && top.at <= this.#now(); top = this.#heap[0]) {
      this.#pop();
      if (this.#current.get(top.key) !== top) continue;
      this.#current.delete(top.key);
      this.#onDue(top.key);
    }
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const [top] = this.#heap;
    if (!top) return;
    // At least once a minute, because the wall clock may have been set.
    const delay = Math.min(Math.max(top.at - this.#now(), 0), 60_000, MAX_TIMER_MS);
    this.#timer = setTimeout(() => this.fire(), delay);
    this.#timer.unref();
  }

  #compact(): void {
    const kept = [...this.#current.values()].sort((a, b) => a.at - b.at);
    this.#heap.splice(0, this.#heap.length, ...kept);
    this.#arm();
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isEarlier(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (!last || this.#heap.length === 0) return;
    this.#heap[0] = last;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      if (left < this.#heap.length && this.#isEarlier(left, least)) least = left;
      if (right < this.#heap.length && this.#isEarlier(right, least)) least = right;
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #isEarlier(a: number, b: number): boolean {
    return (this.#heap[a]?.at ?? Number.POSITIVE_INFINITY) < (this.#heap[b]?.at ?? Number.POSITIVE_INFINITY);
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (!first || !second) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
