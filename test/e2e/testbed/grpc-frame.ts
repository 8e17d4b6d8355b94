/** Puts a message into gRPC's length-prefixed framing, uncompressed. */
export function writeMessage(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Takes gRPC messages out of a stream of bytes as they become complete. */
export class MessageReader {
  #pending: Buffer = Buffer.alloc(0);

  /** @returns the messages that `chunk` completes */
  push(chunk: Buffer): Buffer[] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const messages: Buffer[] = [];
    while (this.#pending.length >= 5 && this.#pending.length >= 5 + this.#pending.readUInt32BE(1)) {
      const end = 5 + this.#pending.readUInt32BE(1);
      messages.push(this.#pending.subarray(5, end));
      this.#pending = this.#pending.subarray(end);
    }
    return messages;
  }
}
