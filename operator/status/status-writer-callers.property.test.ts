import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { objectKey } from '../mesh/object-ref.ts';
import { CallerWorld, names, ref } from './testing/caller-world.ts';

const key = (name: string): string => objectKey(ref(name));

describe('status of policies of callers', () => {
  test('is that all have it once all have acknowledged, in whatever order, and whoever was away in between', async () => {
    const step = fc.record({ pod: fc.nat(39), away: fc.boolean(), pause: fc.constantFrom(0, 20, 400, 6000) });
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.array(step, { maxLength: 20 }),
      fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
      async (count, steps, order) => {
        const world = new CallerWorld({ resyncMs: 3_600_000 });
        const pods = names('p', count);
        world.addPods(pods);
        world.put(['web', 'api']);
        world.writer.start();
        await world.clock.pass(1000);
        for (const name of ['web', 'api']) world.proxies.delay(key(name), pods);
        world.put(['web'], 2);
        for (const { pod, away, pause } of steps) {
          const uid = pods[pod % count] ?? '';
          if (away) world.proxies.silent.add(uid);
          else world.proxies.silent.delete(uid);
          world.proxies.tell(uid);
          await world.clock.pass(pause);
        }
        world.proxies.silent.clear();
        const inOrder = pods.map((uid, index) => ({ uid, rank: order[index] ?? 0 })).sort((a, b) => a.rank - b.rank);
        for (const { uid, rank } of inOrder) {
          world.proxies.acknowledge(uid);
          await world.clock.pass(rank % 50);
        }
        await world.clock.pass(30_000);
        const all = `True: in force on ${count} of ${count} ${count === 1 ? 'proxy' : 'proxies'}`;
        expect([world.programmed('web'), world.programmed('api')]).toEqual([all, all]);
        const { writes } = world;
        await world.clock.pass(120_000);
        expect(world.writes).toBe(writes);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});
