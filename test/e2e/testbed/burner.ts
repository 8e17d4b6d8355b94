const PERIOD_MS = 10;
const MIB = 2 ** 20;

/** Uses up CPU and memory, beside all else that the process does. */
export class Burner {
  #cores = 0;
  #timer: NodeJS.Timeout | undefined;
  #memory = Buffer.alloc(0);

  /** Part of one core that is used up; answers wait for up to 10 ms meanwhile. */
  get cores(): number {
    return this.#cores;
  }

  set cores(cores: number) {
    clearTimeout(this.#timer);
    this.#cores = Math.min(Math.max(cores, 0), 0.9);
    if (this.#cores > 0) this.#burn();
  }

  /** MiB that are held. */
  get mebibytes(): number {
    return this.#memory.length / MIB;
  }

  set mebibytes(mebibytes: number) {
    // Filled with something, for pages of zeroes take no memory.
    this.#memory = Buffer.alloc(Math.min(Math.max(mebibytes, 0), 1024) * MIB, 1);
  }

  #burn(): void {
    const busyMs = this.#cores * PERIOD_MS;
    const end = performance.now() + busyMs;
    while (performance.now() < end);
    this.#timer = setTimeout(() => this.#burn(), PERIOD_MS - busyMs);
  }
}
