import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSameOnWire } from './same-on-wire.ts';

describe('what is the same on the wire', () => {
  test('is what JSON says', () => {
    const value = fc.object({
      maxDepth: 3,
      values: [fc.constantFrom(1, 'a', true, null, undefined)],
      withNullPrototype: false,
    });
    fc.assert(
      fc.property(value, value, (one, other) => {
        const asWritten = (what: unknown): unknown => JSON.parse(JSON.stringify(what));
        expect(isSameOnWire(one, asWritten(one))).toBe(true);
        expect(isSameOnWire(asWritten(one), one)).toBe(true);
        const same = JSON.stringify(sorted(asWritten(one))) === JSON.stringify(sorted(asWritten(other)));
        expect(isSameOnWire(one, other)).toBe(same);
      }),
      { numRuns: 2000 },
    );
  });

  test.each<[unknown, unknown, boolean]>([
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [{ a: 1 }, { a: 1, b: null }, false],
    [{ a: undefined, b: 1 }, { a: 1, b: undefined }, false],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [undefined, null, false],
  ])('%j and %j: %s', (one, other, same) => {
    expect(isSameOnWire(one, other)).toBe(same);
    expect(isSameOnWire(other, one)).toBe(same);
  });
});

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, sorted(item)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
