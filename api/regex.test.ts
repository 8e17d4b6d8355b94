import { describe, expect, test } from '@jest/globals';
import { regexGroups, regexProblem } from './regex.ts';

describe('A regular expression', () => {
  test.each([
    ['letters', '/api/v[0-9]+/.*'],
    ['alternatives and classes', '^(.*?;)?(user=jason)(;.*)?$'],
    ['flags', '(?i)chrome|firefox'],
    ['a script and a category', '\\p{Greek}+\\p{Lu}'],
    ['repetition to the bound', 'a{1000}'],
    ['a large class once', '\\p{L}+'],
  ])('with %s is taken', (_, text) => {
    expect(regexProblem(text)).toBeUndefined();
  });

  test.each([
    ['nothing', '', 'must not be empty'],
    ['lookahead', '(?=x)y', 'RE2 has no lookahead'],
    ['lookbehind', '(?<!x)y', 'RE2 has no lookahead or lookbehind'],
    ['a backreference', '(a)\\1', 'RE2 has no backreferences'],
    ['an atomic group', '(?>a)', 'RE2 has no atomic groups'],
    ['a possessive quantifier', 'a++', 'RE2 has no possessive quantifiers'],
    ['an open bracket', '[a', 'missing closing ]'],
    ['a property RE2 does not know', '\\p{Emoji}', '\\p{Emoji} is no class of RE2'],
    ['too many repetitions', 'a{1001}', 'invalid repeat count'],
    ['a program too large', '((a{1,100}){1,10})', 'is too large: it compiles to 2023 instructions'],
    ['too many classes', `[${'acegikmoqsuwy02468'}]{660}`, 'too many classes'],
    ['too many characters', 'a'.repeat(1025), 'at most 1024 characters, and has 1025'],
  ])('with %s is refused', (_, text, message) => {
    expect(regexProblem(text)).toContain(message);
  });

  test('gives the same verdict when it is asked again', () => {
    expect(regexProblem('(a')).toBe(regexProblem('(a'));
    expect(regexProblem('(a')).toContain('missing closing )');
  });

  test('tells how many groups can be referred to, escaped brackets left out', () => {
    expect(regexGroups('\\((a)(?:b)(?P<c>d)[(]')).toBe(2);
  });
});
