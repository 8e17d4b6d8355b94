import type { Random } from './random.ts';

type Holder = Record<string | number, unknown>;

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
 * Changes JSON at one place: a value becomes another, is gone, is there twice, or has another name.
 * @returns undefined when the input is no JSON that could be changed so
 */
export function mutateJson(
  input: Uint8Array,
  other: Uint8Array,
  words: readonly Uint8Array[],
  random: Random,
): Buffer | undefined {
  const [root, source] = [parsed(input), parsed(other)];
  const places = placesOf(root);
  if (places.length === 0) return undefined;
  const [holder, key] = random.of(places);
  const word = (): string => (words.length > 0 ? Buffer.from(random.of(words)).toString() : 'a');
  const foreign = placesOf(source);
  switch (random.below(8)) {
    case 0:
      holder[key] = random.of(ODD);
      break;
    case 1:
      holder[key] = word();
      break;
    case 2:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      break;
    case 3:
      if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)]));
      else holder[word()] = structuredClone(holder[key]);
      break;
    case 4:
      if (foreign.length > 0) {
        const [from, name] = random.of(foreign);
        holder[Array.isArray(holder) ? key : name] = structuredClone(from[name]);
      }
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
  return Buffer.from(JSON.stringify(root));
}

function text(value: unknown, word: string, random: Random): unknown {
  if (typeof value === 'number') return value + random.of([1, -1, 0.5, 2 ** 31, -(2 ** 31), 65_536]);
  if (typeof value !== 'string') return JSON.stringify(value);
  const at = random.below(value.length + 1);
  return value.slice(0, at) + word + value.slice(at + random.below(3));
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}

/** Everything in a value: where it is, and under what name there. */
function placesOf(root: unknown): [Holder, string][] {
  const places: [Holder, string][] = [];
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
