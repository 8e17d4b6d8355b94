import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import jsonPatch from 'json-patch';
import { diff } from './patch.ts';

const patched = (before: unknown, after: unknown): unknown =>
  jsonPatch.apply({ document: structuredClone(before) }, diff({ document: before }, { document: after }));

describe('diff', () => {
  test.each<[string, unknown, unknown, unknown[]]>([
    ['nothing for equal documents', { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, []],
    ['an added field with slashes in its name', {}, { 'a/b~c': 1 }, [{ op: 'add', path: '/a~1b~0c', value: 1 }]],
    ['a field that is gone', { a: 1 }, {}, [{ op: 'remove', path: '/a' }]],
    // Written by hand: the library that applies patches below takes this key for the prototype.
    ['a field named __proto__', {}, JSON.parse('{"__proto__":[]}'), [{ op: 'add', path: '/__proto__', value: [] }]],
    ['a field that became undefined', { a: 1 }, { a: undefined }, [{ op: 'remove', path: '/a' }]],
    [
      'named elements put before others, one by one',
      { c: [{ name: 'x', v: 1 }] },
      { c: [{ name: 'w' }, { name: 'x', v: 2 }, { name: 'y' }] },
      [
        { op: 'add', path: '/c/0', value: { name: 'w' } },
        { op: 'replace', path: '/c/1/v', value: 2 },
        { op: 'add', path: '/c/2', value: { name: 'y' } },
      ],
    ],
    [
      'a list that lost an element, whole',
      { c: [{ name: 'x' }, { name: 'y' }] },
      { c: [{ name: 'y' }] },
      [{ op: 'replace', path: '/c', value: [{ name: 'y' }] }],
    ],
  ])('gives %s', (_, before, after, expected) => {
    expect(diff(before, after)).toEqual(expected);
  });

  test('gives a patch that turns any document into any other', () => {
    const named = fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c'), v: fc.integer({ max: 2 }) }), {
      maxLength: 4,
    });
    const document = fc
      .oneof(named, fc.jsonValue({ maxDepth: 3 }), fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })))
      .filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(document, document, (before, after) => {
        // JSON knows no negative zero.
        const [from, to] = [JSON.parse(JSON.stringify(before)), JSON.parse(JSON.stringify(after))];
        expect(patched(from, to)).toEqual({ document: to });
      }),
      { numRuns: 500 },
    );
  });
});
