import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { mutateBytes } from './mutate-bytes.ts';
import type { Random } from './random.ts';

/** A field as it stands in a message. */
interface Field {
  readonly number: number;
  readonly wireType: WireType;
  /** What stands behind the tag, and the length of it, where it has one. */
  readonly content: Uint8Array;
}

/** How deep a change goes at most. */
const MAX_DEPTH = 6;

/**
 * Changes a message of Protocol Buffers at one place, however deep, and leaves the lengths around it right.
 * @returns undefined when the input is no such message
 */
export function mutateProtobuf(
  input: Uint8Array,
  other: Uint8Array,
  words: readonly Uint8Array[],
  random: Random,
  depth = 0,
): Buffer | undefined {
  const fields = fieldsOf(input);
  if (fields === undefined || fields.length === 0) return undefined;
  const at = random.below(fields.length);
  const field = fields[at] as Field;
  const foreign = fieldsOf(other) ?? [];
  switch (random.below(8)) {
    case 0:
      fields.splice(at, 1);
      break;
    case 1:
      fields.splice(at, 0, ...Array.from({ length: 1 + random.below(8) }, () => field));
      break;
    case 2:
      fields[at] = { ...field, number: 1 + random.below(16) };
      break;
    case 3:
      if (foreign.length > 0) fields.splice(at, 0, random.of(foreign));
      break;
    case 4:
      fields.push(...fields.splice(at, 1));
      break;
    default:
      fields[at] = { ...field, content: changedContent(field, other, words, random, depth) };
  }
  return encode(fields);
}

function changedContent(
  { wireType, content }: Field,
  other: Uint8Array,
  words: readonly Uint8Array[],
  random: Random,
  depth: number,
): Uint8Array {
  const nested =
    wireType === WireType.LengthDelimited && depth < MAX_DEPTH
      ? mutateProtobuf(content, other, words, random, depth + 1)
      : undefined;
  return nested ?? mutateBytes(content, other, words, random);
}

function fieldsOf(bytes: Uint8Array): Field[] | undefined {
  const reader = new BinaryReader(bytes);
  const fields: Field[] = [];
  try {
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      if (wireType === WireType.LengthDelimited) fields.push({ number, wireType, content: reader.bytes() });
      else {
        const start = reader.pos;
        reader.skip(wireType, number);
        fields.push({ number, wireType, content: bytes.subarray(start, reader.pos) });
      }
    }
  } catch {
    return undefined;
  }
  return fields;
}

function encode(fields: readonly Field[]): Buffer {
  const writer = new BinaryWriter();
  for (const { number, wireType, content } of fields) {
    writer.tag(number, wireType);
    if (wireType === WireType.LengthDelimited) writer.bytes(content);
    else writer.raw(content);
  }
  return Buffer.from(writer.finish());
}
