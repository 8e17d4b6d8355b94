import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { CountsWatch } from './counts-watch.ts';

const SECOND = 1000;
let failing: Error | undefined;
let watch: CountsWatch;
let looked: number;
let held: Promise<void> | undefined;
let told: string[];

beforeEach(() => {
  jest.useFakeTimers();
  failing = undefined;
  held = undefined;
  looked = 0;
  told = [];
  watch = new CountsWatch(async () => {
    looked += 1;
    await held;
    if (failing !== undefined) throw failing;
  });
  watch.onChange(() => told.push(watch.problem() ?? 'none'));
  watch.start();
});
afterEach(() => {
  watch.stop();
  jest.useRealTimers();
});

const looks = (count: number) => jest.advanceTimersByTimeAsync(count * SECOND);

test('looks that come to nothing now and then are no problem, two in a row are', async () => {
  for (let round = 0; round < 3; round++) {
    failing = new Error('no time');
    await looks(1);
    failing = undefined;
    await looks(1);
  }
  expect(told).toEqual([]);
  failing = new Error('gone');
  await looks(2);
  expect(told).toEqual(['gone']);
});

test('it is told once, with what is wrong now, and that it is over at the first look that is answered', async () => {
  failing = new Error('gone');
  await looks(5);
  failing = new Error('full');
  await looks(2);
  failing = undefined;
  await looks(3);
  expect(told).toEqual(['gone', 'full', 'none']);
});

test('after its end nothing is looked at nor told, not even of a look that was under way', async () => {
  failing = new Error('gone');
  await looks(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  held = promise;
  await looks(1);
  watch.stop();
  resolve();
  await looks(5);
  expect(looked).toBe(2);
  expect(told).toEqual([]);
});
