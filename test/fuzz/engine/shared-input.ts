/** Longest input that is kept for whoever watches, in bytes. */
const MAX_BYTES = 9 << 20;
const HEAD = 8;

/** The input that runs now, where another thread sees it even when that which runs it never comes back. */
export class SharedInput {
  readonly #numbers: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(HEAD + MAX_BYTES)) {
    this.memory = memory;
    this.#numbers = new Int32Array(memory, 0, 2);
    this.#bytes = new Uint8Array(memory, HEAD);
  }

  /** What both threads share. */
  readonly memory: SharedArrayBuffer;

  write(input: Uint8Array): void {
    this.#numbers[0] = input.length;
    this.#bytes.set(input);
    this.#numbers[1] = (this.#numbers[1] ?? 0) + 1;
  }

  /** Inputs that were written. */
  get count(): number {
    return Atomics.load(this.#numbers, 1);
  }

  read(): Buffer {
    return Buffer.from(this.#bytes.slice(0, Atomics.load(this.#numbers, 0)));
  }
}
