import { expect, test } from '@jest/globals';
import { merge } from './merge.ts';

async function* of<T>(...values: T[]): AsyncGenerator<T> {
  for (const value of values) yield value;
}

test('all that several streams give comes, each in its own order', async () => {
  const seen: string[] = [];
  for await (const value of merge([of('a1', 'a2'), of('b1'), of<string>()])) seen.push(value);
  expect(seen.toSorted()).toEqual(['a1', 'a2', 'b1']);
  expect(seen.indexOf('a1')).toBeLessThan(seen.indexOf('a2'));
});

test('the error of one is the error of all', async () => {
  async function* broken(): AsyncGenerator<string> {
    yield 'first';
    throw new Error('gone');
  }
  const read = async () => {
    for await (const _ of merge([of('a'), broken()]));
  };
  await expect(read()).rejects.toThrow('gone');
});
