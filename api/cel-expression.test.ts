import { describe, expect, test } from '@jest/globals';
import { celExpressionProblem } from './cel-expression.ts';

describe('an expression that Envoy takes', () => {
  test.each([
    'response.code >= 400',
    'has(request.headers.x) && request.headers["x"] == "a"',
    "request.url_path.startsWith('/a') || request.path.matches('a+')",
    'matches(request.path, "x") && size(request.path) > 3',
    'response.code in [500, 503] ? true : connection.mtls',
    'response.code >= 400 && !(request.method == "GET")',
    'duration("1s") < request.duration && request.time.getHours() > 1',
    "int(request.headers['x']) % 2 == 1",
    'request.path in[request.index, "in1"]',
    String.raw`request.path.matches("\\.css\u00e9\x41\177$") && request.path != r'\.'`,
    String.raw`b"\xff\"" != b'"' || '\\' == '''it's "\U0010ffff"'''`,
    '"a" == // "\\.\n "b"',
    '"a" // in1\n in request.headers || true ? int("1") == 1 : "a" in(request.headers)',
  ])('is right: %s', (text) => expect(celExpressionProblem(text)).toBeUndefined());
});

describe('an expression that Envoy would refuse', () => {
  test.each([
    ['', 'leave the filter out'],
    ['response.code >= ', 'must be an expression in CEL'],
    ['foo', 'names "foo"'],
    ['foo(1)', 'must not call foo'],
    ['request.path.matches("[")', 'a regular expression (RE2)'],
    ['[1].exists(x, x > 1)', 'must have no exists'],
    ['{"a": 1}.a == 1', 'must make no maps'],
    ['string(1) == "1"', 'must not call string'],
    ['request.path.lowerAscii() == "a"', 'must not call lowerAscii'],
    ['size(request.path, 1) > 3', 'must call size with 1 values'],
    ['contains(request.path, "a")', 'must call contains of a value'],
    ['request.path.int() == 1', 'must call int with its value in brackets'],
    [`${'('.repeat(40)}true${')'.repeat(40)}`, 'brackets within each other'],
    [`request${'.a'.repeat(300)} == 1`, 'must not be nested deeper'],
    [`1${' + 1'.repeat(300)} == 1`, 'must not be nested deeper'],
    ['"a"in1.5e3', 'must have a blank after "in"'],
    ['"\u{1f600}"in1', 'must have a blank after "in", and has "in1"'],
    ['response.code == 1in1 || true', 'must have a blank after "in"'],
    ['"a" inrequest.headers', 'must have a blank after "in", and has "inrequest"'],
    ['"a" // in 1\n\tin1', 'must have a blank after "in", and has "in1"'],
    [String.raw`request.path.matches('\.css$')`, String.raw`must have no "\." in a text`],
    [String.raw`'\\' == """\x4"""`, String.raw`must have no "\x" in a text`],
    [String.raw`"\u12"`, String.raw`must have no "\u" in a text`],
    [String.raw`"\U00110000"`, String.raw`must have no "\U" in a text`],
    [String.raw`"\400"`, String.raw`must have no "\4" in a text`],
    [String.raw`b"\u00e9"`, String.raw`must have no "\u" in a text`],
    ['x'.repeat(3000), 'must have at most 2048 characters'],
  ])('is named: %s', (text, problem) => expect(celExpressionProblem(text)).toContain(problem));
});
