import type { Target } from '../target.ts';
import { MAX_LENGTH, mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateProtobuf } from './mutate-protobuf.ts';
import type { Random } from './random.ts';

/** Of so many changes one is of bytes, whatever they stand for. */
const BYTES = 5;

/**
 * Makes an input of another, by a few changes.
 * @param other where pieces may be taken from
 * @param words texts that the program looks for
 */
export function mutate(
  form: Target['form'],
  input: Uint8Array,
  other: Uint8Array,
  words: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let changed = input;
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    changed = changeOnce(form, changed, other, words, random);
  }
  return changed.length > Math.max(MAX_LENGTH, input.length) ? changed.subarray(0, MAX_LENGTH) : changed;
}

function changeOnce(
  form: Target['form'],
  input: Uint8Array,
  other: Uint8Array,
  words: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  if (form !== 'text' && random.below(BYTES) > 0) {
    const changed = (form === 'json' ? mutateJson : mutateProtobuf)(input, other, words, random);
    if (changed !== undefined) return changed;
  }
  return mutateBytes(input, other, words, random);
}
