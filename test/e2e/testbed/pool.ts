/** Lets only so many requests be worked on at once, as a server with a pool of threads does; the others wait in line. */
export class Pool {
  readonly #waiting: (() => void)[] = [];
  #limit: number;
  #busy = 0;

  /** @param limit how many at once; 0 for any number */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Changes the limit; 0 for any number. */
  resize(limit: number): void {
    this.#limit = limit;
    while (this.#waiting.length > 0 && this.#free()) this.#admit();
  }

  get limit(): number {
    return this.#limit;
  }

  get busy(): number {
    return this.#busy;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Waits for a place. @returns gives the place back; call it once */
  async enter(): Promise<() => void> {
    if (this.#free()) this.#busy++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      this.#busy--;
      if (this.#free()) this.#admit();
    };
  }

  #free(): boolean {
    return this.#limit === 0 || this.#busy < this.#limit;
  }

  #admit(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#busy++;
    next();
  }
}
