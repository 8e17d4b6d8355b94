const HEAD = 5;

/** Puts gRPC messages together from the pieces in which they come. */
export class Frames {
  private readonly deliver: (message: Buffer) => void;
  private pieces: Buffer[] = [];
  private held = 0;
  /** So many bytes must be there before there is anything to do: the head of a frame, or all of it. */
  private needed = HEAD;

  constructor(deliver: (message: Buffer) => void) {
    this.deliver = deliver;
  }

  take(bytes: Buffer): void {
    this.pieces.push(bytes);
    this.held += bytes.length;
    while (this.held >= this.needed) {
      const whole = this.pieces.length === 1 ? (this.pieces[0] ?? bytes) : Buffer.concat(this.pieces);
      const end = HEAD + whole.readUInt32BE(1);
      const complete = whole.length >= end;
      const rest = complete ? whole.subarray(end) : whole;
      this.pieces = rest.length === 0 ? [] : [rest];
      this.held = rest.length;
      this.needed = complete ? HEAD : end;
      if (complete) this.deliver(whole.subarray(HEAD, end));
    }
  }
}
