import { asBuffer } from './as-buffer.ts';
import type { Random } from './random.ts';

type Holder = Record<string | number, unknown>;
/** Where a value is, and under what name there. */
type Place = readonly [holder: Holder, key: string];

/** Values that stand where nobody expects them. */
const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  -1e308,
  2 ** 53,
  0.1,
  '',
  '*',
  'a'.repeat(300),
  '\u0000',
  '\ud800',
  '__proto__',
  '-1s',
  '0x10',
  [],
  {},
  [[]],
  [null],
  { '': {} },
];

/**
 * Changes JSON at some places, one after the other: a value becomes another, is gone, is there twice, or has another name.
 * @param changes how often
 * @returns undefined when the input is no JSON that could be changed so
 */
export function mutateJson(
  input: Uint8Array,
  other: Uint8Array,
  words: readonly Uint8Array[],
  random: Random,
  changes: number,
): Buffer | undefined {
  const root = parsed(input);
  let places = placesOf(root);
  if (places.length === 0) return undefined;
  for (let left = changes; left > 0 && places.length > 0; left--) {
    changeAt(random.of(places), other, words, random);
    if (left > 1) places = placesOf(root);
  }
  return Buffer.from(JSON.stringify(root));
}

function changeAt([holder, key]: Place, other: Uint8Array, words: readonly Uint8Array[], random: Random): void {
  const word = (): string => (words.length > 0 ? Buffer.from(random.of(words)).toString() : 'a');
  switch (random.below(8)) {
    case 0:
      // A copy: what is in one of these may be changed next.
      holder[key] = copyOf(random.of(ODD));
      break;
    case 1:
      holder[key] = word();
      break;
    case 2:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      break;
    case 3:
      if (Array.isArray(holder)) holder.push(copyOf(holder[Number(key)]));
      else holder[word()] = copyOf(holder[key]);
      break;
    case 4:
      transplant(placesOf(parsed(other)), holder, key, random);
      break;
    case 5:
      holder[key] = [holder[key]];
      break;
    case 6:
      holder[key] = { [word()]: holder[key] };
      break;
    default:
      holder[key] = text(holder[key], word(), random);
  }
}

/** Puts a value of another input into this one. */
function transplant(foreign: readonly Place[], holder: Holder, key: string, random: Random): void {
  if (foreign.length === 0) return;
  const [from, name] = random.of(foreign);
  holder[Array.isArray(holder) ? key : name] = from[name];
}

function text(value: unknown, word: string, random: Random): unknown {
  if (typeof value === 'number') return value + random.of([1, -1, 0.5, 2 ** 31, -(2 ** 31), 65_536]);
  if (typeof value !== 'string') return JSON.stringify(value);
  const at = random.below(value.length + 1);
  return value.slice(0, at) + word + value.slice(at + random.below(3));
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(asBuffer(bytes).toString());
  } catch {
    return undefined;
  }
}

/** Copies JSON; `structuredClone` takes many times as long. */
function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner)]));
}

/** Everything in a value. */
function placesOf(root: unknown): Place[] {
  const places: Place[] = [];
  const open = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    for (const key of Object.keys(value)) {
      places.push([value as Holder, key]);
      open.push((value as Holder)[key] ?? null);
    }
  }
  return places;
}
