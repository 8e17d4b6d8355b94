import { celExpressionProblem } from './cel-expression.ts';
import { loadCelParser } from './cel-parser.ts';

/** What a label is to have: always the same, or what an expression (CEL) comes to. */
export type MetricTagValue = { readonly constant: string } | { readonly expression: string };

/** What callers, or time, choose: there may be very many values. */
const MANY_VALUES =
  /\brequest\s*\.\s*(?:path|url_path|query|host|headers|id|time|useragent|referer|duration)\b|\bsource\s*\.\s*(?:address|port)\b/;

/**
 * Reads the value of an UPSERT, an expression (CEL). Envoy makes a text of whatever it comes to, so an outermost `string(...)`, which Envoy has not,
 * is left out.
 * @returns what is wrong with it, without a full stop at the end, where it can't be
 */
export function readMetricTag(value: string): MetricTagValue | { readonly problem: string } {
  const whole = value.trim();
  const inner = /^string\s*\((.*)\)$/s.exec(whole)?.[1]?.trim();
  const text = inner !== undefined && isExpression(inner) ? inner : whole;
  if (text === '') return { problem: 'must be set for UPSERT' };
  const problem = celExpressionProblem(text) ?? formatProblem(text);
  if (problem !== undefined) return { problem };
  const constant = constantOf(text);
  return constant === undefined ? { expression: text } : { constant };
}

/** Whether a label may have very many values by an expression. */
export function hasManyValues(expression: string): boolean {
  return MANY_VALUES.test(expression);
}

/** The expression stands in a command of Envoy's access log, which ends at the first bracket with a per cent sign. */
function formatProblem(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'must stand on one line, without tabs';
  if (/\)(?::[0-9]+)?%/.test(text)) return 'must have a blank before a per cent sign that follows a bracket';
  return undefined;
}

function isExpression(text: string): boolean {
  try {
    loadCelParser()(text);
    return true;
  } catch {
    return false;
  }
}

function constantOf(text: string): string | undefined {
  const kind = loadCelParser()(text).expr?.exprKind;
  if (kind?.case !== 'constExpr') return undefined;
  const { case: type, value } = kind.value.constantKind;
  return type === undefined || type === 'bytesValue' || type === 'nullValue' ? undefined : String(value);
}
