import type { Findings } from './field-check.ts';
import type { HttpMatch } from './http-match.ts';
import type { TcpMatch, TlsMatch } from './virtual-service-l4.ts';

interface Rule {
  readonly match?: readonly (HttpMatch | TlsMatch | TcpMatch)[] | undefined;
}

/**
 * Warns of rules that no request reaches, and of matches that stand there already. Looks at each match once.
 * @param field path of the list, as in `spec.http`
 */
export function warnOfUnreached(found: Findings, field: string, rules: readonly Rule[]): void {
  const seen = new Map<string, string>();
  for (const [index, { match = [] }] of rules.entries()) {
    let repeated = 0;
    for (const [number, condition] of match.entries()) {
      const place = `${field}[${index}].match[${number}]`;
      const key = canonical(condition);
      const first = seen.get(key);
      if (first === undefined) seen.set(key, place);
      else repeated++;
      if (first !== undefined && !(repeated === match.length))
        found.warn(place, `is the same as ${first}, which comes first`);
    }
    if (match.length > 0 && repeated === match.length)
      found.warn(`${field}[${index}]`, 'is never used, as rules before it have the same matches');
    if (match.length === 0 || match.some(takesAll)) {
      warnOfRest(found, field, index, rules.length);
      return;
    }
  }
}

function warnOfRest(found: Findings, field: string, index: number, count: number): void {
  const rest = count - index - 1;
  if (rest === 0) return;
  const others = rest === 1 ? '' : `, nor are the ${rest - 1} after it`;
  found.warn(
    `${field}[${index + 1}]`,
    `is never used${others}: ${field}[${index}] takes everything; move it to the end`,
  );
}

/** Whether a match has no condition, or none but that the path begins with a slash. */
function takesAll(match: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(match).every(([name, value]) => {
    if (name === 'name' || name === 'statPrefix' || name === 'ignoreUriCase') return true;
    if (name === 'uri') return isObject(value) && value.prefix === '/';
    return isObject(value) ? Object.keys(value).length === 0 : Array.isArray(value) && value.length === 0;
  });
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One text for all spellings of the same match: without what only names it, and with sorted keys. */
const canonical = (match: HttpMatch | TlsMatch | TcpMatch): string =>
  sortedText({ ...match, name: undefined, statPrefix: undefined });

function sortedText(value: unknown): string {
  if (!isObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  return `{${names
    .sort()
    .map((name) => `${JSON.stringify(name)}:${sortedText(value[name])}`)
    .join()}}`;
}
