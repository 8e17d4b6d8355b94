import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { Draw } from '../xds/testing/draw.ts';
import { Balance, surplusOf } from './balance.ts';

afterEach(() => {
  jest.useRealTimers();
});

describe('a replica', () => {
  test.each<[string, number, number[], number]>([
    ['alone keeps all', 500, [], 0],
    ['with its share keeps all', 250, [250], 0],
    ['with a little more keeps all', 120, [100], 0],
    ['with all lets a twentieth go at a time', 500, [0], 25],
    ['with few lets one go at a time', 7, [0], 1],
    ['with one keeps it', 1, [0, 0], 0],
  ])('%s', (_, own, others, wanted) => {
    expect(surplusOf(own, others)).toBe(wanted);
  });

  test('comes near its share with the others, wherever those go that are let go, and then all rest', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 300 }), { minLength: 2, maxLength: 5 }), fc.integer(), (start, seed) => {
        const draw = new Draw(seed);
        const counts = [...start];
        const rounds = 400;
        let moved = 0;
        for (let round = 0; round < rounds; round++) {
          moved = 0;
          for (const index of counts.keys()) {
            const others = counts.filter((_, other) => other !== index);
            const surplus = surplusOf(counts[index] ?? 0, others);
            moved += surplus;
            counts[index] = (counts[index] ?? 0) - surplus;
            for (let one = 0; one < surplus; one++) {
              const to = draw.below(counts.length);
              counts[to] = (counts[to] ?? 0) + 1;
            }
          }
          if (moved === 0) break;
        }
        expect(moved).toBe(0);
        const mean = start.reduce((sum, count) => sum + count, 0) / start.length;
        for (const count of counts) expect(count).toBeLessThanOrEqual(Math.ceil(mean * 1.2));
      }),
    );
  });
});

test('nothing is let go while one of the others does not tell what it has', () => {
  jest.useFakeTimers();
  const gone: number[] = [];
  let others: number[] | undefined;
  const balance = new Balance({ own: () => 500, others: () => others, letGo: (count) => gone.push(count) });
  balance.start();
  jest.advanceTimersByTime(60_000);
  expect(gone).toEqual([]);
  others = [0];
  jest.advanceTimersByTime(7000);
  expect(gone[0]).toBe(25);
  balance.stop();
});
