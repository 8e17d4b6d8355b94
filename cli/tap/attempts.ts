/** Several things that are watched at once, of which some may not be to be watched. */
export class Attempts {
  readonly #all: number;
  readonly #tell: (line: string) => void;
  #begun = 0;
  #failed = 0;

  /** @param tell is given what a person should know meanwhile */
  constructor(all: number, tell: (line: string) => void) {
    this.#all = all;
    this.#tell = tell;
  }

  /** One is being watched from now on. */
  readonly begun = (): void => {
    this.#begun++;
    this.#tellOnceAllAreKnown();
  };

  /** What a stream gives. Its failure is told, and the others go on. @throws its error when all have failed */
  async *tolerate<T>(stream: AsyncGenerator<T>): AsyncGenerator<T> {
    try {
      yield* stream;
    } catch (error) {
      if (++this.#failed === this.#all) throw error;
      this.#tell((error as Error).message);
      this.#tellOnceAllAreKnown();
    }
  }

  #tellOnceAllAreKnown(): void {
    if (this.#begun + this.#failed !== this.#all) return;
    this.#tell(`Watching ${this.#begun === 1 ? '1 sidecar' : `${this.#begun} sidecars`}.`);
  }
}
