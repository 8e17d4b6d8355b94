import { RE2JS } from 're2js';

/** Longest regular expression taken, in characters; Istio's bound. */
export const MAX_REGEX_LENGTH = 1024;

/**
 * Most instructions an expression may compile to. Envoy steps through a program for each request that comes by a route: at this size that is
 * some microseconds. Counted repetitions are what makes short expressions large: `((a{1,100}){1,10})` has 2,023.
 */
export const MAX_PROGRAM_SIZE = 2000;

/**
 * Most character ranges in all instructions together. Envoy's RE2 reads bytes (Latin-1) and has an instruction for each range:
 * `[^/]{1000}` takes 2,004 there and 1,002 here.
 */
const MAX_CHARACTER_RANGES = 4000;
const LAST_BYTE = 0xff;

/** What people know from other engines and RE2 has not, and how the expression may be mended. */
const FOREIGN: readonly (readonly [syntax: RegExp, advice: string])[] = [
  [/\(\?<?[=!]/, 'RE2 has no lookahead or lookbehind; match with several conditions instead'],
  [/\\[1-9]|\\k[<{']|\(\?P=/, 'RE2 has no backreferences; write out what is repeated'],
  [/\(\?>/, 'RE2 has no atomic groups; write (?:...)'],
  [/[+*?}]\+/, 'RE2 has no possessive quantifiers; leave out the second +'],
  [/\(\?#/, 'RE2 has no comments; leave it out'],
  [/\(\?[(R&]/, 'RE2 has no conditions and no recursion; write the alternatives out'],
  [/\\u/, 'RE2 has no \\u escape; write \\x{...}'],
];

/** Verdicts on the expressions asked about last: an object is judged at admission and at each change, and its expressions rarely alter. */
const CACHE_SIZE = 4096;
const verdicts = new Map<string, string | undefined>();

/**
 * Judges a regular expression as Envoy takes it: RE2 syntax, bounded in length and in the size of the compiled program.
 * @returns what is wrong and how to mend it, without a full stop at the end; nothing when the expression can be used
 */
export function regexProblem(text: string): string | undefined {
  if (text === '') return 'must not be empty; write .* to match anything';
  if (text.length > MAX_REGEX_LENGTH) {
    return `must have at most ${MAX_REGEX_LENGTH} characters, and has ${text.length}; shorten it`;
  }
  if (verdicts.has(text)) return verdicts.get(text);
  const verdict = verdictOn(text);
  if (verdicts.size >= CACHE_SIZE) verdicts.clear();
  verdicts.set(text, verdict);
  return verdict;
}

/** How many groups an expression has that can be referred to. The expression must have passed {@link regexProblem}. */
export const regexGroups = (text: string): number => RE2JS.compile(text).groupCount();

function verdictOn(text: string): string | undefined {
  const foreign = foreignClass(text);
  if (foreign !== undefined) return foreign;
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(text);
  } catch (error) {
    return `must be an RE2 expression: ${reason(text, error)}`;
  }
  if (compiled.programSize() > MAX_PROGRAM_SIZE || characterRanges(compiled) > MAX_CHARACTER_RANGES) {
    return `is too large: it compiles to ${compiled.programSize()} instructions, or to too many classes of characters; use fewer counted repetitions such as {1,100}, and smaller classes`;
  }
  return undefined;
}

function reason(text: string, error: unknown): string {
  const advice = FOREIGN.find(([syntax]) => syntax.test(text))?.[1];
  if (advice !== undefined) return advice;
  const message = error instanceof Error ? error.message : 'it can not be parsed';
  return message.replace(/^error parsing regexp: /, '');
}

/** Classes by a Unicode property are RE2's only for general categories (`\p{Lu}`) and scripts (`\p{Greek}`); the checking library knows more. */
function foreignClass(text: string): string | undefined {
  for (const [whole, name = ''] of text.matchAll(/\\[pP]\{\^?([^}]*)\}/g)) {
    if (name === 'Any' || isUnicode(`gc=${name}`) || isUnicode(`Script=${name}`)) continue;
    return `must be an RE2 expression: ${whole} is no class of RE2, which knows general categories such as \\p{Lu} and scripts such as \\p{Greek}`;
  }
  return undefined;
}

function isUnicode(property: string): boolean {
  try {
    return new RegExp(`\\p{${property}}`, 'u').unicode;
  } catch {
    return false;
  }
}

/** How many ranges of one-byte characters all instructions of the program have together. */
function characterRanges(compiled: RE2JS): number {
  // The library types the program as `any`; this is what its instructions hold.
  const instructions: readonly { readonly runes?: ArrayLike<number> | null }[] = compiled.re2Input.prog.inst;
  let ranges = 0;
  for (const { runes } of instructions) {
    // Pairs of a range's first and last character, in order; a single character stands alone.
    for (let index = 0; index < (runes?.length ?? 0) && (runes?.[index] ?? 0) <= LAST_BYTE; index += 2) ranges++;
  }
  return ranges;
}
