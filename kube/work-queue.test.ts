import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Controller } from './controller.ts';
import { eventually } from './testing/memory-api.ts';
import { WorkQueue } from './work-queue.ts';

const tick = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

describe('WorkQueue', () => {
  test('works on a key once however often it was added', async () => {
    const queue = new WorkQueue();
    const done: string[] = [];
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
    queue.run(async (key) => void done.push(key));
    await tick();
    expect(done).toEqual(['a', 'b']);
    await queue.stop();
  });

  test('works on a key once more when it was added meanwhile', async () => {
    const queue = new WorkQueue();
    let runs = 0;
    queue.run(async () => {
      if (++runs === 1) queue.add('a');
      await tick(5);
    });
    queue.add('a');
    await eventually(() => runs === 2);
    await queue.stop();
  });

  test('takes the earliest of several delays', async () => {
    const queue = new WorkQueue();
    const done: string[] = [];
    queue.run(async (key) => void done.push(key));
    queue.addAfter('a', 60_000);
    queue.addAfter('a', 1);
    queue.addAfter('a', 60_000);
    await eventually(() => done.length === 1);
    await queue.stop();
  });

  test('stop waits for work under way and drops the rest', async () => {
    const queue = new WorkQueue({ concurrency: 1 });
    const done: string[] = [];
    queue.run(async (key) => {
      await tick(10);
      done.push(key);
    });
    queue.add('a');
    queue.add('b');
    await tick();
    await queue.stop();
    expect(done).toEqual(['a']);
    queue.add('c');
    await tick(15);
    expect(done).toEqual(['a']);
  });

  test('gives others their turn between keys that wait for nothing', async () => {
    const queue = new WorkQueue({ concurrency: 16 });
    const keys = Array.from({ length: 60 }, (_, nth) => `key ${nth}`);
    const done: string[] = [];
    for (const key of keys) queue.add(key);
    const doneBefore: number[] = [];
    const turn = () => {
      doneBefore.push(done.length);
      if (done.length < keys.length) setImmediate(turn);
    };
    setImmediate(turn);
    queue.run(async (key) => {
      const until = performance.now() + 1;
      while (performance.now() < until);
      done.push(key);
    });
    await eventually(() => done.length === keys.length);
    expect(done).toEqual(keys);
    // In 5 ms, the one that ends them included.
    const inOneTurn = doneBefore.map((count, nth) => count - (doneBefore[nth - 1] ?? 0));
    expect(Math.max(...inOneTurn)).toBeLessThanOrEqual(6);
    await queue.stop();
  });

  test('begins nothing in the middle of what its caller does', async () => {
    const queue = new WorkQueue();
    const done: string[] = [];
    queue.run(async (key) => void done.push(key));
    queue.add('a');
    expect(done).toEqual([]);
    await tick();
    expect(done).toEqual(['a']);
    await queue.stop();
  });

  test('one that throws at once is no different', async () => {
    const queue = new WorkQueue({ concurrency: 1 });
    const done: string[] = [];
    queue.run((key) => {
      done.push(key);
      throw new Error('at once');
    });
    queue.add('a');
    queue.add('b');
    await eventually(() => done.length === 2);
    await queue.stop();
  });

  test('takes keys that are due before others, which have a turn of their own now and then', async () => {
    const queue = new WorkQueue({ concurrency: 1 });
    const done: string[] = [];
    const others = ['a', 'b', 'c', 'd', 'e'];
    for (const key of others) queue.add(key);
    // One that waits already becomes due.
    for (const key of ['e', 'v', 'w', 'x', 'y']) queue.dueAfter(key, 1);
    await tick(20);
    queue.run(async (key) => void done.push(key));
    await eventually(() => done.length === 9);
    expect(done).toEqual(['e', 'v', 'w', 'a', 'x', 'y', 'b', 'c', 'd']);
    await queue.stop();
  });

  test('one that becomes due while it is worked on is the next', async () => {
    const queue = new WorkQueue({ concurrency: 1 });
    const done: string[] = [];
    queue.run(async (key) => {
      done.push(key);
      await tick(20);
    });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    queue.dueAfter('a', 5);
    await eventually(() => done.length === 4);
    expect(done).toEqual(['a', 'a', 'b', 'c']);
    await queue.stop();
  });

  test('a later moment at which a key is due takes the place of one before', async () => {
    const queue = new WorkQueue();
    const done: string[] = [];
    queue.run(async (key) => void done.push(key));
    queue.dueAfter('a', 1);
    queue.dueAfter('a', 60_000);
    queue.dueAfter('b', 1);
    queue.dueAfter('b', undefined);
    queue.dueAfter('c', 10);
    await eventually(() => done.length > 0);
    expect(done).toEqual(['c']);
    await queue.stop();
  });

  test('never works on one key twice at once, and loses none', async () => {
    const schedules = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), wait: fc.nat(2) }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(schedules, fc.integer({ min: 1, max: 3 }), async (schedule, concurrency) => {
        const queue = new WorkQueue({ concurrency });
        const active = new Set<string>();
        const lastAdded = new Map<string, number>();
        const lastStarted = new Map<string, number>();
        let clock = 0;
        queue.run(async (key) => {
          expect(active.has(key)).toBe(false);
          expect(active.size).toBeLessThan(concurrency);
          active.add(key);
          lastStarted.set(key, ++clock);
          await tick(1);
          active.delete(key);
        });
        for (const { key, wait } of schedule) {
          lastAdded.set(key, ++clock);
          queue.add(key);
          if (wait > 0) await tick(wait);
        }
        await eventually(() => queue.length === 0 && active.size === 0);
        for (const [key, added] of lastAdded) expect(lastStarted.get(key)).toBeGreaterThan(added);
        await queue.stop();
      }),
      { numRuns: 30 },
    );
  });
});

describe('Controller', () => {
  test('repeats a failed key with growing delay, then forgets the failures', async () => {
    let runs = 0;
    const controller = new Controller({
      name: 'test',
      backoffMs: [1, 10],
      reconcile: async () => {
        if (++runs < 4) throw new Error('not yet');
        return undefined;
      },
    });
    controller.enqueue('a');
    controller.start();
    await eventually(() => runs === 4);
    await tick(30);
    expect(runs).toBe(4);
    await controller.stop();
  });

  test('comes back once when it is due, before those that wait', async () => {
    const done: string[] = [];
    const controller = new Controller({
      name: 'test',
      concurrency: 1,
      reconcile: async (key) => {
        done.push(key);
        if (done.length === 1) return { requeueAfterMs: 20, dueAfterMs: 20 };
        await tick(10);
        return undefined;
      },
    });
    controller.start();
    for (const key of ['first', 'a', 'b', 'c', 'd', 'e', 'f']) controller.enqueue(key);
    await eventually(() => done.length === 8);
    await tick(30);
    expect(done).toHaveLength(8);
    expect(done.indexOf('first', 1)).toBeLessThan(7);
    await controller.stop();
  });

  test('comes back after requeueAfterMs', async () => {
    let runs = 0;
    const controller = new Controller({
      name: 'test',
      reconcile: async () => (++runs < 3 ? { requeueAfterMs: 1 } : {}),
    });
    controller.start();
    controller.enqueue('a');
    await eventually(() => runs === 3);
    await controller.stop();
  });
});
