/** A field of a message: its number, and what it holds: a message, a text, or a number from 0 on. */
export type Field = readonly [number: number, value: Buffer | string | number];

/** Puts a message together in protobuf's form; few enough fields are needed here to do without a library. */
export function writeFields(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [varint(number * 8), varint(value)];
      const bytes = Buffer.from(value);
      return [varint(number * 8 + 2), varint(bytes.length), bytes];
    }),
  );
}

/** What a message holds of texts and messages in the fields with a number, in their order. @throws {RangeError} when it breaks off */
export function readField(message: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    const [number, kind] = [Math.floor(tag.value / 8), tag.value % 8];
    const head = kind === 1 || kind === 5 ? tag : readVarint(message, tag.end);
    const length = kind === 2 ? head.value : kind === 1 ? 8 : kind === 5 ? 4 : 0;
    at = head.end + length;
    if (at > message.length) throw new RangeError('the message breaks off');
    if (kind === 2 && number === wanted) found.push(message.subarray(head.end, at));
  }
  return found;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

function readVarint(message: Buffer, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = start, weight = 1; at < message.length; at++, weight *= 128) {
    const byte = message.readUInt8(at);
    value += (byte % 128) * weight;
    if (byte < 128) return { value, end: at + 1 };
  }
  throw new RangeError('the message breaks off');
}
