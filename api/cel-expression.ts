import type { Expr, ParsedExpr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { loadCelParser } from './cel-parser.ts';
import { celTextProblem } from './cel-text.ts';
import { regexProblem } from './regex.ts';

/** Longest expression, in characters: the parser is quick, and what it makes is walked. */
const MAX_LENGTH = 2048;
/** Deepest nesting: Envoy's own parser has a bound, and refuses the listener beyond it. */
const MAX_DEPTH = 24;
/** Brackets that make no difference count for Envoy's parser too. */
const MAX_BRACKETS = 12;

/** What Envoy knows of a request or a connection. */
const ATTRIBUTES = new Set([
  ...['request', 'response', 'connection', 'source', 'destination', 'upstream', 'metadata', 'filter_state'],
  ...['upstream_filter_state', 'xds'],
]);
/** Functions that Envoy (1.40) has here, with how many values they take; of methods what stands before the dot is the first. */
const FUNCTIONS: Readonly<Record<string, number>> = {
  ...arity(1, ['!_', '-_', 'size', 'int', 'uint', 'double', 'bytes', 'timestamp', 'duration']),
  ...arity(1, ['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear']),
  ...arity(1, ['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds']),
  ...arity(2, ['_&&_', '_||_', '_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_', '@in', '_in_', '_[_]']),
  ...arity(2, ['_+_', '_-_', '_*_', '_/_', '_%_', 'contains', 'startsWith', 'endsWith', 'matches']),
  ...arity(3, ['_?_:_']),
};
/** An operator `in` that runs into a word. Blanks and comments behind the value before it count to the operator. */
const GLUED_IN = /^(?:[\t\n\f\r ]|\/\/[^\r\n]*[\r\n])*(in(?!t\b)\w{1,10})/;
/** Functions that may also stand before what they are about, as in `size(request.path)`. */
const EITHER = new Set(['size', 'matches']);

/**
 * Judges an expression (CEL) over a request, for Envoy to decide by. Envoy refuses the whole listener for one that it can't take.
 * @returns what is wrong, without a full stop at the end
 */
export function celExpressionProblem(text: string): string | undefined {
  if (text.trim() === '') return 'must be an expression in CEL; leave the filter out to log everything';
  if (text.length > MAX_LENGTH) return `must have at most ${MAX_LENGTH} characters, and has ${text.length}`;
  if (bracketDepth(text) > MAX_BRACKETS) return `must have at most ${MAX_BRACKETS} brackets within each other`;
  const inTexts = celTextProblem(text);
  if (inTexts !== undefined) return inTexts;
  let parsed: ParsedExpr;
  try {
    parsed = loadCelParser()(text);
  } catch (error) {
    return `must be an expression in CEL: ${error instanceof RangeError ? 'it is nested too deeply' : firstLine(error)}`;
  }
  return (parsed.expr && problemIn(parsed.expr, 0)) ?? gluedOperatorProblem(text, parsed);
}

/** Envoy's parser reads the longest word that there is: `in1` is a name to it, where ours sees `in 1`. */
function gluedOperatorProblem(text: string, { sourceInfo }: ParsedExpr): string | undefined {
  const glued = Object.values(sourceInfo?.positions ?? {})
    .map((from) => GLUED_IN.exec(text.slice(from))?.[1])
    .find((word) => word !== undefined);
  return glued === undefined ? undefined : `must have a blank after "in", and has "${glued}"`;
}

function problemIn(expression: Expr, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return `must not be nested deeper than ${MAX_DEPTH} levels`;
  const { exprKind } = expression;
  switch (exprKind.case) {
    case 'identExpr':
      return ATTRIBUTES.has(exprKind.value.name)
        ? undefined
        : `must be about ${[...ATTRIBUTES].slice(0, -1).join(', ')} or ${[...ATTRIBUTES].at(-1)}, and names "${exprKind.value.name}"`;
    case 'constExpr':
      return numberProblem(exprKind.value.constantKind);
    case 'selectExpr':
      return exprKind.value.operand && problemIn(exprKind.value.operand, depth + 1);
    case 'listExpr':
      return firstProblem(exprKind.value.elements, depth);
    case 'callExpr': {
      const { function: name, args, target } = exprKind.value;
      const called = args.length + (target === undefined ? 0 : 1);
      if (FUNCTIONS[name] !== called) {
        return Object.hasOwn(FUNCTIONS, name)
          ? `must call ${name} with ${FUNCTIONS[name]} values, of which what stands before the dot is one`
          : `must not call ${name}, which Envoy does not have here`;
      }
      const isMethod = name.startsWith('get') || /^[a-z]+With$|^contains$/.test(name);
      const isOperator = /[_@]/.test(name) || name === '!_';
      if (target === undefined ? isMethod : !isMethod && !isOperator && !EITHER.has(name)) {
        return `must call ${name} ${isMethod ? 'of a value, as in request.path.' : 'with its value in brackets, as in '}${name}(...)`;
      }
      if (name === '_+_' && args.some(isText))
        return 'must not put texts together with "+", which Envoy does not do here';
      const pattern = name === 'matches' ? patternProblem(args.at(-1)) : undefined;
      return pattern ?? firstProblem(target === undefined ? args : [target, ...args], depth);
    }
    case 'comprehensionExpr':
      return 'must have no exists, all, map or filter, which Envoy does not have here';
    default:
      return 'must make no maps and messages, which Envoy does not have here';
  }
}

function isText({ exprKind }: Expr): boolean {
  return exprKind.case === 'constExpr' && exprKind.value.constantKind.case === 'stringValue';
}

function firstProblem(expressions: readonly Expr[], depth: number): string | undefined {
  for (const one of expressions) {
    const problem = problemIn(one, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Integers are of 64 bits. */
function numberProblem({
  case: kind,
  value,
}: {
  readonly case?: unknown;
  readonly value?: unknown;
}): string | undefined {
  const beyond = kind === 'uint64Value' ? 2n ** 64n : 2n ** 63n;
  if (typeof value !== 'bigint' || (value >= -(2n ** 63n) && value < beyond)) return undefined;
  return `must have no integer of more than 64 bits, and has ${value}`;
}

/** Envoy compiles a pattern that is written down when it takes the listener. */
function patternProblem(pattern: Expr | undefined): string | undefined {
  if (pattern?.exprKind.case !== 'constExpr') return undefined;
  const { constantKind } = pattern.exprKind.value;
  if (constantKind.case !== 'stringValue') return 'must call matches with a text';
  const problem = regexProblem(constantKind.value);
  return problem === undefined ? undefined : `must call matches with a regular expression (RE2): ${problem}`;
}

function bracketDepth(text: string): number {
  let depth = 0;
  let most = 0;
  for (const character of text) {
    if ('([{'.includes(character)) most = Math.max(most, ++depth);
    else if (')]}'.includes(character)) depth -= 1;
  }
  return most;
}

function arity(count: number, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, count]));
}

function firstLine(error: unknown): string {
  return (
    String(error instanceof Error ? error.message : error)
      .split('\n')[0]
      ?.slice(0, 200) ?? ''
  );
}
