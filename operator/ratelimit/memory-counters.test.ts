import { expect, test } from '@jest/globals';
import type { Hit } from './counters.ts';
import { MemoryCounters } from './memory-counters.ts';

const hit = (key: string, more: Partial<Hit> = {}): Hit => {
  return { key, overflow: 'all', hits: 1, requests: 2, unit: 'Second', ...more };
};

function newCounters(maxKeysPerDomain = 100) {
  const clock = { now: 0 };
  return { clock, counters: new MemoryCounters(() => clock.now, { maxKeysPerDomain, sweepKeys: 10 }) };
}

test('a window begins with its first request, and ends after a unit', async () => {
  const { clock, counters } = newCounters();
  clock.now = 500;
  const count = async () => (await counters.count('d', [hit('a')]))[0];
  expect(await count()).toEqual({ over: false, remaining: 1, resetMs: 1000 });
  clock.now = 1400;
  expect(await count()).toEqual({ over: false, remaining: 0, resetMs: 100 });
  expect(await count()).toEqual({ over: true, remaining: 0, resetMs: 100 });
  clock.now = 1500;
  expect(await count()).toEqual({ over: false, remaining: 1, resetMs: 1000 });
});

test('keys, units and domains count apart', async () => {
  const { counters } = newCounters();
  for (const domain of ['d', 'e']) {
    const tallies = await counters.count(domain, [hit('a'), hit('b'), hit('a', { unit: 'Hour' }), hit('a')]);
    expect(tallies.map(({ remaining }) => remaining)).toEqual([1, 1, 1, 0]);
  }
});

test('a request that counts for several is over when they are', async () => {
  const { counters } = newCounters();
  expect(await counters.count('d', [hit('a', { hits: 3 })])).toMatchObject([{ over: true }]);
});

test('of more keys than there is room for, the others count together; the domains of others have their own room', async () => {
  const { counters } = newCounters(3);
  for (const key of ['a', 'b', 'c']) expect(await counters.count('d', [hit(key)])).toMatchObject([{ over: false }]);
  for (const over of [false, false, true]) {
    expect(await counters.count('d', [hit(`new-${Math.random()}`)])).toMatchObject([{ over }]);
  }
  // Those that were there go on.
  expect(await counters.count('d', [hit('a')])).toMatchObject([{ over: false, remaining: 0 }]);
  expect(await counters.count('e', [hit('z')])).toMatchObject([{ remaining: 1 }]);
  expect(counters.size).toBe(5);
});

test('what has ended is forgotten, a part at a time', async () => {
  const { clock, counters } = newCounters();
  for (let key = 0; key < 25; key++) await counters.count('d', [hit(String(key))]);
  await counters.count('e', [hit('long', { unit: 'Day' })]);
  clock.now = 5000;
  counters.sweep();
  expect(counters.size).toBe(16);
  for (let n = 0; n < 3; n++) counters.sweep();
  expect(counters.size).toBe(1);
});
