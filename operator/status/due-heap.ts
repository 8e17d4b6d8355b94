interface Entry<T> {
  readonly item: T;
  readonly at: number;
}

/** Items with times, the earliest first (a binary heap). */
export class DueHeap<T> {
  readonly #heap: Entry<T>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get first(): Entry<T> | undefined {
    return this.#heap[0];
  }

  push(item: T, at: number): void {
    this.#heap.push({ item, at });
    let index = this.#heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#timeOf(parent) <= at) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** Takes the earliest out. */
  pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const least = this.#timeOf(left + 1) < this.#timeOf(left) ? left + 1 : left;
      if (this.#timeOf(least) >= last.at) return;
      this.#swap(index, least);
      index = least;
    }
  }

  clear(): void {
    this.#heap.length = 0;
  }

  #timeOf(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
