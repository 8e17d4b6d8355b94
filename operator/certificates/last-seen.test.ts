import { expect, test } from '@jest/globals';
import { LastSeen } from './last-seen.ts';

const here = (pod: string) => ({ pod, connected: true });
const away = (pod: string) => ({ pod, connected: false });

test('says when the last of those that are away was there', () => {
  const seen = new LastSeen();
  expect(seen.look([here('a'), here('b')], 10)).toBe(0);
  expect(seen.look([away('a'), here('b')], 20)).toBe(10);
  expect(seen.look([away('a'), away('b')], 30)).toBe(20);
  expect(seen.look([here('a'), away('b')], 40)).toBe(20);
  expect(seen.look([away('a')], 50)).toBe(40);
});

test('takes one that it never saw for one that was there a moment ago, as does a leader that is new', () => {
  const seen = new LastSeen();
  expect(seen.look([away('a')], 10)).toBe(10);
  expect(seen.look([away('a')], 20)).toBe(10);
  // A pod that was gone meanwhile is another one.
  seen.look([], 30);
  expect(seen.look([away('a')], 40)).toBe(40);
});
