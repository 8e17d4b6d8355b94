import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { normalisedPath } from '../../test/feature/support/path-normalisation.ts';
import { normalizePath } from './path.ts';

test.each([
  ['/a/../b?x=/../y', '/b?x=/../y'],
  ['/a/./b/', '/a/b/'],
  ['/a/%2e%2E/b', '/b'],
  ['/%61%2Fb', '/a%2Fb'],
  ['/a\\b', '/a/b'],
  ['//a//b', '//a//b'],
  ['/..', '/'],
  ['/x/..;y/z', '/z'],
  ['/%6%31', '/%2561'],
  ['/a"b', '/a%22b'],
  ['*', '*'],
])('%s is %s', (path, normal) => {
  expect(normalizePath(path)).toBe(normal);
});

test.each([
  ['MERGE_SLASHES', '/a/b%2Fc'],
  ['DECODE_AND_MERGE_SLASHES', '/a/b/c'],
] as const)('%s makes of slashes that repeat, or are escaped, one', (level, normal) => {
  expect(normalizePath('//a///b%2Fc', level)).toBe(normal);
});

test('is what the reference of the authorization tests says, for paths of every kind', () => {
  const part = fc.constantFrom(
    '/',
    '.',
    '..',
    ';',
    '%2e',
    '%2F',
    '%5c',
    '\\',
    'a',
    '%',
    '%6',
    '31',
    '%25',
    '%zz',
    '"',
    'é',
    '|',
    '=',
  );
  const paths = fc.array(part, { maxLength: 12 }).map((parts) => `/${parts.join('')}`);
  fc.assert(
    fc.property(paths, (path) => expect(normalizePath(path)).toBe(normalisedPath(path))),
    { numRuns: 3000 },
  );
});
