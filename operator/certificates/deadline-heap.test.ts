import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DeadlineHeap } from './deadline-heap.ts';

describe('DeadlineHeap', () => {
  test('calls each key back once, in the order of its last time, whatever was set before', () => {
    const operation = fc.record({
      key: fc.integer({ min: 0, max: 40 }).map(String),
      at: fc.nat(1000),
      remove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
        let clock = 0;
        const due: string[] = [];
        const heap = new DeadlineHeap(
          (key) => due.push(key),
          () => clock,
        );
        const expected = new Map<string, number>();
        for (const { key, at, remove } of operations) {
          if (remove) {
            heap.delete(key);
            expected.delete(key);
          } else {
            heap.set(key, at + 1);
            expected.set(key, at + 1);
          }
        }
        expect(heap.size).toBe(expected.size);
        for (clock = 1; clock <= 1001; clock += 100) {
          heap.fire();
          const soFar = [...expected].filter(([, at]) => at <= clock).map(([key]) => key);
          expect([...due].sort()).toEqual(soFar.sort());
        }
        clock = 2000;
        heap.fire();
        expect(due.map((key) => expected.get(key))).toEqual([...expected.values()].sort((a, b) => a - b));
        heap.stop();
      }),
    );
  });

  test('fires by itself', async () => {
    const due = await new Promise<string>((resolve) => {
      const heap = new DeadlineHeap(resolve);
      heap.set('later', Date.now() + 60_000);
      heap.set('soon', Date.now() + 5);
    });
    expect(due).toBe('soon');
  });
});
