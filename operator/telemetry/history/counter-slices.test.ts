import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CounterSlices, type SliceWindow } from './counter-slices.ts';

const START = 1_700_000_040_000;
const SMALL = { fineMs: 5000, fineKeepMs: 60_000, coarseMs: 20_000, keepMs: 200_000, maxEntries: 1000 };

function total(slices: CounterSlices, window: SliceWindow): Map<number, number> {
  const totals = new Map<number, number>();
  for (const { ids, values } of slices.within(window)) {
    for (const [index, id] of ids.entries()) totals.set(id, (totals.get(id) ?? 0) + (values[index] ?? 0));
  }
  return totals;
}

describe('slices of counters', () => {
  test('a window ends with the last slice that is over, and is of whole slices', () => {
    const slices = new CounterSlices(SMALL);
    slices.add(START, 1, 2);
    slices.add(START + 4999, 1, 3);
    slices.add(START + 5000, 1, 7);
    const window = slices.window(START + 9000, 10);
    expect(window).toEqual({ since: START - 5000, until: START + 5000 });
    expect(total(slices, window)).toEqual(new Map([[1, 5]]));
  });

  test('a window that begins among old slices takes the whole of the first', () => {
    const slices = new CounterSlices(SMALL);
    for (let at = 0; at < 200_000; at += 5000) slices.add(START + at, 1, 1);
    const window = slices.window(START + 200_000, 110);
    expect((window.until - window.since) % 5000).toBe(0);
    expect(window.until - window.since).toBeGreaterThanOrEqual(110_000);
    expect(window.until - window.since).toBeLessThan(130_000);
    expect(total(slices, window).get(1)).toBe((window.until - window.since) / 5000);
  });

  test('what is too old or too much is forgotten, and it is said since when all is there', () => {
    const slices = new CounterSlices({ ...SMALL, maxEntries: 20 });
    for (let slice = 0; slice < 6; slice++) {
      for (let id = 0; id < 8; id++) slices.add(START + slice * 5000, id, 1);
    }
    slices.advance(START + 30_000);
    expect(slices.entries).toBeLessThanOrEqual(20);
    expect(slices.keptSince).toBe(START + 20_000);
  });

  test('no moment pays for many: a few are put together each time one ends', () => {
    const slices = new CounterSlices({ ...SMALL, coarseMs: 60_000 });
    let last = 0;
    let most = 0;
    for (let at = 0; at < 190_000; at += 5000) {
      slices.add(START + at, 1, 1);
      most = Math.max(most, last - slices.entries);
      last = slices.entries;
    }
    // Each of one entry: two become one with the one before them, while one comes.
    expect(most).toBe(1);
  });

  test('after a silence nothing is left of what is too old', () => {
    const slices = new CounterSlices(SMALL);
    for (let at = 0; at < 60_000; at += 5000) slices.add(START + at, 1, 1);
    slices.advance(START + 300_000);
    expect(slices.within({ since: 0, until: START + 300_000 })).toEqual([]);
    expect(slices.entries).toBe(0);
  });

  test('a reader that gives others their turn misses none', () => {
    const slices = new CounterSlices(SMALL);
    for (let at = 0; at < 60_000; at += 5000) slices.add(START + at, 1, 1);
    const window = slices.window(START + 60_000, 60);
    let found = 0;
    for (const { start, values } of slices.within(window)) {
      found += values[0] ?? 0;
      // Meanwhile time passes, and the oldest slices become one.
      if (start === START + 30_000) slices.advance(START + 80_000);
    }
    expect(found).toBe(12);
  });

  test('nothing is lost or counted twice while slices are put together', () => {
    const arbitrary = fc.array(
      fc.record({ wait: fc.oneof(fc.nat(9000), fc.nat(300_000)), id: fc.nat(5), by: fc.integer({ min: 1, max: 50 }) }),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(arbitrary, (steps) => {
        const slices = new CounterSlices({ ...SMALL, keepMs: 100_000_000 });
        const wanted = new Map<number, number>();
        let now = START;
        for (const { wait, id, by } of steps) {
          now += wait;
          slices.add(now, id, by);
          wanted.set(id, (wanted.get(id) ?? 0) + by);
        }
        const window = slices.window(now + 5000, 50_000_000);
        const found = total(slices, window);
        expect(new Map([...found].sort())).toEqual(new Map([...wanted].sort()));
        const entries = [...slices.within(window)].reduce((sum, { ids }) => sum + ids.length, 0);
        expect(slices.entries).toBe(entries);
      }),
    );
  });
});
