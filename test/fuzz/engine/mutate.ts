import type { Target } from '../target.ts';
import { MAX_LENGTH, mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateProtobuf } from './mutate-protobuf.ts';
import type { Random } from './random.ts';

/** Of so many changes one is of bytes, whatever they stand for. */
const BYTES = 12;

/**
 * Makes an input of another, by a few changes: first such as leave it a message, then others.
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
  const changes = 1 + random.below(4);
  let formed = 0;
  for (let change = 0; change < changes; change++) if (form !== 'text' && random.below(BYTES) > 0) formed++;
  const message = formed === 0 ? undefined : mutateMessage(form, input, other, words, random, formed);
  let changed = message ?? input;
  for (let left = message === undefined ? changes : changes - formed; left > 0; left--) {
    changed = mutateBytes(changed, other, words, random);
  }
  return changed.length > Math.max(MAX_LENGTH, input.length) ? changed.subarray(0, MAX_LENGTH) : changed;
}

/** @returns undefined when the input is no message of that form */
function mutateMessage(
  form: Target['form'],
  input: Uint8Array,
  other: Uint8Array,
  words: readonly Uint8Array[],
  random: Random,
  changes: number,
): Uint8Array | undefined {
  if (form === 'json') return mutateJson(input, other, words, random, changes);
  let changed = mutateProtobuf(input, other, words, random);
  for (let left = changes - 1; left > 0 && changed !== undefined; left--) {
    changed = mutateProtobuf(changed, other, words, random) ?? changed;
  }
  return changed;
}
