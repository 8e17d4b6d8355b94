import { expect, test } from '@jest/globals';
import { KeySets } from './key-sets.ts';

test('a name is there as long as it has a key', () => {
  const sets = new KeySets<string, number>();
  for (const key of [1, 2, 2]) sets.add('a', key);
  sets.add('constructor', 3);
  expect([...sets.get('a')]).toEqual([1, 2]);
  sets.delete('a', 1);
  expect([...sets.names()]).toEqual(['a', 'constructor']);
  sets.delete('a', 2);
  sets.delete('a', 2);
  expect([...sets.names()]).toEqual(['constructor']);
  expect(sets.get('a').size).toBe(0);
});
