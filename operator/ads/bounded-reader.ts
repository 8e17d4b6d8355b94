import { BinaryReader } from '@bufbuild/protobuf/wire';

/**
 * Most texts and messages that a message may have in it, at whatever depth. As many fit into the longest message of metrics whose series have labels as real
 * ones have. Two million empty ones would fit as well, and hold up everybody for seconds.
 */
export const MAX_PARTS = 150_000;

interface Budget {
  readonly parts: number;
  left: number;
}

/** Reads Protocol Buffers of somebody who may mean harm: what a message costs is bounded, not only its bytes. */
export class BoundedReader extends BinaryReader {
  private readonly budget: Budget;
  private readonly all: Uint8Array;

  /** @param bound how many parts there may be */
  constructor(bytes: Uint8Array, bound: number | Budget = MAX_PARTS) {
    super(bytes);
    this.all = bytes;
    this.budget = typeof bound === 'number' ? { parts: bound, left: bound } : bound;
  }

  /** @throws {Error} when there are too many parts, or when the bytes are no such message */
  override bytes(): ReturnType<BinaryReader['bytes']> {
    this.take();
    return super.bytes();
  }

  /** @throws {Error} as `bytes` */
  override string(): string {
    this.take();
    return super.string();
  }

  /** A reader of the message that comes next, of which all parts count together with those around it. */
  nested(): BoundedReader {
    return new BoundedReader(this.bytes(), this.budget);
  }

  /** The first bytes of what it reads. */
  begin(length: number): Buffer {
    return Buffer.from(this.all.buffer, this.all.byteOffset, length);
  }

  private take(): void {
    if (this.budget.left-- <= 0) throw new Error(`it has more than ${this.budget.parts} parts`);
  }
}
