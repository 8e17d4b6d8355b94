import { describe, expect, test } from '@jest/globals';
import { hasMoreValues, holdsMoreValues, mayHaveMoreMembers } from './json-values.ts';

const has = (text: string, most: number): boolean => hasMoreValues(Buffer.from(text), most);

describe('values of JSON', () => {
  test.each<[string, number]>([
    ['[1,2,3]', 3],
    ['{"a":1,"b":[]}', 3],
    ['[[[]]]', 3],
    ['["a,[{"]', 1],
    ['["\\",[{",1]', 2],
    ['{"\\\\":1,"b":2}', 2],
    ['[[["', 3],
  ])('are counted outside of texts: %s', (text, values) => {
    expect(has(text, values)).toBe(false);
    expect(has(text, values - 1)).toBe(true);
  });

  test.each<[string, number]>([
    ['{"a":[1,2]}', 1],
    ['{"a":1,"b":{"c":2}}', 3],
    ['{"a":"b:c"}', 2],
  ])('have no more members than colons: %s', (text, members) => {
    expect(mayHaveMoreMembers(text, members)).toBe(false);
    expect(mayHaveMoreMembers(text, members - 1)).toBe(true);
  });

  test.each<[unknown, number]>([
    [[1, 2, [3]], 5],
    [{ a: 1, b: { c: null } }, 4],
    ['a', 1],
    [null, 1],
    [undefined, 1],
  ])('are counted when it is parsed: %j', (value, values) => {
    expect(holdsMoreValues(value, values)).toBe(false);
    expect(holdsMoreValues([value], values)).toBe(true);
  });
});
