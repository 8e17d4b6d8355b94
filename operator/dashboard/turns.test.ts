import { expect, test } from '@jest/globals';
import { eachInTurns, encodeInTurns } from './turns.ts';

test('others get their turn in the middle of what takes long', async () => {
  let turns = 0;
  let working = true;
  const turn = () => {
    turns++;
    if (working) setImmediate(turn);
  };
  setImmediate(turn);
  const taken: number[] = [];
  await eachInTurns([1, 2, 3, 4], (item) => {
    const until = performance.now() + 6;
    while (performance.now() < until);
    taken.push(item);
  });
  working = false;
  expect(taken).toEqual([1, 2, 3, 4]);
  expect(turns).toBeGreaterThanOrEqual(3);
});

test('an answer is encoded as JSON has it', async () => {
  const answer = { at: 1, 'a "name"': null, left: undefined, list: [{ b: [1] }, 'x', null], none: [], of: { c: true } };
  expect(await encodeInTurns(answer)).toBe(JSON.stringify(answer));
});
