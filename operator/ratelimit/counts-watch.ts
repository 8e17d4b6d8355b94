/** Tells whether counts can be asked. */
export interface CountsState {
  /** Why they can't; undefined: they can. */
  problem(): string | undefined;
  /** Calls back when that is another. Gives a function that ends that. */
  onChange(listener: () => void): () => void;
}

/** A replica that keeps counts itself, or with others, can always be asked. */
export const ALWAYS_THERE: CountsState = { problem: () => undefined, onChange: () => () => {} };

/** Between two looks, in ms. */
const LOOK_MS = 1000;
/** A single one may come to nothing because this process had no time. */
const LOOKS = 2;

/** Looks again and again whether counts can be asked, for where no proxy asks nobody would notice. */
export class CountsWatch implements CountsState {
  readonly #look: () => Promise<unknown>;
  readonly #listeners = new Set<() => void>();
  #failures = 0;
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** @param look asks for a count as proxies do; rejects where that cannot be */
  constructor(look: () => Promise<unknown>) {
    this.#look = look;
  }

  /** @inheritDoc */
  problem(): string | undefined {
    return this.#problem;
  }

  /** @inheritDoc */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#turn(), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  async #turn(): Promise<void> {
    try {
      await this.#look();
      this.#failures = 0;
      this.#set(undefined);
    } catch (error) {
      this.#failures += 1;
      if (this.#failures >= LOOKS) this.#set(error instanceof Error ? error.message : String(error));
    }
    if (!this.#ended) this.start();
  }

  #set(problem: string | undefined): void {
    if (problem === this.#problem || this.#ended) return;
    this.#problem = problem;
    for (const listener of this.#listeners) listener();
  }
}
