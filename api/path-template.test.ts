import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isPathTemplate, pathTemplateProblem } from './path-template.ts';

describe('path templates', () => {
  test.each([
    ['/{*}', true],
    ['/a/{**}', true],
    ['{*}', true],
    ['/a', false],
    ['/a*', false],
    ['/a/{id}', false],
    ['/{}', false],
  ])('%s is one: %s', (path, expected) => {
    expect(isPathTemplate(path)).toBe(expected);
  });

  test.each(['/{*}', '/{**}', '/a/{*}/b/{**}/', '/a//{*}', '/{*}/{*}/a=b', "/-._~%!$&'()+,;:@=/{**}"])(
    'takes %s',
    (path) => {
      expect(pathTemplateProblem(path)).toBeUndefined();
    },
  );

  test.each([
    ['{*}/a', 'must begin with "/" where it has {*} or {**}'],
    ['/{**}/{**}', 'must have {**} once'],
    ['/{**}/{*}', 'must have no {*} after {**}'],
    ['/{*}.txt', 'alone in a segment, without other "{", "}" and "*", and has "{*}.txt"'],
    ['/{id}/{*}', 'and has "{id}"'],
    ['/*/{*}', 'and has "*"'],
    ['/{*}/a b', 'and has "a b"'],
    ['/{*}?a', 'and has "{*}?a"'],
  ])('says of %s what is wrong with it', (path, problem) => {
    expect(pathTemplateProblem(path)).toContain(problem);
  });

  test('what is taken has operators alone in their segments, whatever the text', () => {
    const segment = fc.oneof(fc.constantFrom('{*}', '{**}', '', 'a', '*', '{'), fc.string({ unit: 'binary' }));
    const property = fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
      const path = `/${segments.join('/')}`;
      fc.pre(isPathTemplate(path) && pathTemplateProblem(path) === undefined);
      for (const one of path.split('/')) expect(/[{}*]/.test(one) ? ['{*}', '{**}'] : [one]).toContain(one);
      expect(path.split('{**}').length).toBeLessThanOrEqual(2);
    });
    fc.assert(property, { numRuns: 500 });
  });
});
