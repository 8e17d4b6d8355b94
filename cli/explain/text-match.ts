import { RE2JS } from 're2js';
import type { StringMatch } from '../../operator/mesh/route-rule.ts';

/** Whether a text is what a match of a route asks for; expressions are RE2 over the whole text, as in Envoy. */
export function matchesText({ kind, value }: StringMatch, text: string, ignoreCase = false): boolean {
  if (kind === 'regex') return matchesExpression(value, text);
  const [wanted, own] = ignoreCase ? [value.toLowerCase(), text.toLowerCase()] : [value, text];
  return kind === 'exact' ? own === wanted : own.startsWith(wanted);
}

/** Whether a whole text is of an RE2 expression. */
export function matchesExpression(expression: string, text: string): boolean {
  return RE2JS.compile(expression).matcher(text).matches();
}

/** A match in words: `is exactly "/cart"`. */
export function textInWords({ kind, value }: StringMatch): string {
  const verb = { exact: 'is exactly', prefix: 'begins with', regex: 'matches' }[kind];
  return `${verb} ${JSON.stringify(value)}`;
}
