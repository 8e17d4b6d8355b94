import { readPattern } from '../../operator/xds/rbac-values.ts';

/** Whether a value is what a policy says in Istio's notation: `abc`, `abc*`, `*abc`, or `*` for anything that is not empty. */
export function matchesValue(pattern: string, value: string | undefined, ignoreCase = false): boolean {
  if (value === undefined) return false;
  const read = readPattern(pattern);
  if (read.kind === 'present') return value !== '';
  const [own, text] = ignoreCase ? [value.toLowerCase(), read.text.toLowerCase()] : [value, read.text];
  if (read.kind === 'exact') return own === text;
  return read.kind === 'prefix' ? own.startsWith(text) : own.endsWith(text);
}

/** Whether some value of a list, separated by commas, is what a policy says, or all of it is. */
export function matchesListed(pattern: string, value: string | undefined): boolean {
  if (value === undefined) return false;
  const read = readPattern(pattern);
  if (read.kind === 'present') return value !== '';
  // What begins or ends with something may have commas of its own.
  const parts = value.split(',');
  const starts = parts.map((_, index) =>
    parts
      .slice(index)
      .join(',')
      .replace(/^[ \t]*/, ''),
  );
  const ends = parts.map((_, index) =>
    parts
      .slice(0, index + 1)
      .join(',')
      .replace(/[ \t]*$/, ''),
  );
  if (read.kind === 'prefix') return [value, ...starts].some((one) => one.startsWith(read.text));
  if (read.kind === 'suffix') return [value, ...ends].some((one) => one.endsWith(read.text));
  return isListed(parts, read.text);
}

/** Whether a text is some neighbouring parts of a list, as it has commas itself. */
function isListed(parts: readonly string[], text: string): boolean {
  const length = text.split(',').length;
  return parts.some((_, index) => {
    const some = parts.slice(index, index + length);
    return some.length === length && trimBlanks(some.join(',')) === trimBlanks(text);
  });
}

function trimBlanks(text: string): string {
  return text.replace(/^[ \t]*/, '').replace(/[ \t]*$/, '');
}
