import type { Random } from './random.ts';

/** Numbers at which programs err, as bytes. */
const ODD = [0, 1, 0x22, 0x2e, 0x3a, 0x5b, 0x7b, 0x7e, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
/** Numbers that take several bytes in Protocol Buffers: the greatest of 32 and 64 bits, one that is too long, a length that is no good. */
const LONG = ['ffffffff0f', 'ffffffffffffffffff01', 'ffffffffffffffffffffff01', '80808001', 'ffffffff07'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

/** Inputs do not grow beyond so many bytes by being changed. */
export const MAX_LENGTH = 8192;

/**
 * Changes bytes at one place.
 * @param other another input, of which a piece may be taken
 * @param words texts that the program looks for
 */
export function mutateBytes(
  input: Uint8Array,
  other: Uint8Array,
  words: readonly Uint8Array[],
  random: Random,
): Buffer {
  const at = random.below(input.length + 1);
  const [before, after] = [input.subarray(0, at), input.subarray(at)];
  const some = (from: Uint8Array): Uint8Array => from.subarray(0, Math.min(from.length, 1 + random.below(32)));
  switch (random.below(9)) {
    case 0:
      return flipped(input, at, 1 << random.below(8));
    case 1:
      return Buffer.concat([before, Buffer.of(random.of(ODD)), after.subarray(1)]);
    case 2:
      return Buffer.concat([before, Buffer.of(random.below(256)), after]);
    case 3:
      return Buffer.concat([before, after.subarray(some(after).length)]);
    case 4:
      return Buffer.concat([before, some(after), after]);
    case 5:
      return Buffer.concat([before, random.of(words.length > 0 ? words : LONG), after.subarray(random.below(8))]);
    case 6:
      return Buffer.concat([before, random.of(LONG), after]);
    case 7:
      return Buffer.concat([before, other.subarray(random.below(other.length + 1))]);
    default:
      return Buffer.concat([before, some(other.subarray(random.below(other.length + 1))), after]);
  }
}

function flipped(input: Uint8Array, at: number, bit: number): Buffer {
  const changed = Buffer.from(input);
  if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ bit;
  return changed;
}
