import { listExpression, readPattern } from '../../operator/xds/rbac-values.ts';
import { matchesExpression } from './text-match.ts';

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
  return read.kind === 'present' ? value !== '' : matchesExpression(listExpression(read), value);
}
