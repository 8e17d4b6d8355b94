import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NameNumbers } from './name-numbers.ts';
import { NameSet, VersionTable } from './name-table.ts';

const NAMES = 3000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What becomes of a run of names of a stream, or of a stream. */
interface Step {
  readonly stream: number;
  readonly kind: 'set' | 'delete' | 'end';
  readonly first: number;
  readonly count: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  stream: fc.nat({ max: 3 }),
  kind: fc.constantFrom('set', 'set', 'set', 'delete', 'end'),
  first: fc.nat({ max: 9000 }),
  count: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 1500 })),
});

describe('versions by name', () => {
  test('are what a map would have, however many streams hold what of the same', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const numbers = new NameNumbers();
        const open = () => ({
          table: new VersionTable(numbers),
          set: new NameSet(numbers),
          map: new Map<string, string>(),
        });
        const streams = Array.from({ length: 4 }, open);
        for (const [round, { stream, kind, first, count }] of steps.entries()) {
          const { table, set, map } = streams[stream] ?? open();
          if (kind === 'end') streams[stream] = open();
          for (let number = first; number < first + count && kind !== 'end'; number++) {
            const name = `cluster-${number}`;
            if (kind === 'set') {
              table.set(name, `${round}`);
              set.add(name);
              map.set(name, `${round}`);
            } else {
              table.delete(name);
              set.delete(name);
              map.delete(name);
            }
          }
          for (const one of streams) {
            const names = [...one.table.names()];
            if (names.length !== one.map.size || one.table.size !== one.map.size) throw new Error('too many or few');
            for (const name of names) if (one.table.get(name) !== one.map.get(name)) throw new Error(name);
            if (
              one.set.size !== names.length ||
              ![...one.set].every((name) => one.map.has(name) && one.set.has(name))
            ) {
              throw new Error('it is another set');
            }
            if (one.set.has('none') || one.table.get('none') !== undefined) throw new Error('none');
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('cost nothing for names that have gone', () => {
    const numbers = new NameNumbers();
    const table = new VersionTable(numbers);
    for (let number = 0; number < NAMES; number++) table.set(`stays-${number}`, '1');
    for (let number = 0; number < 100_000; number++) {
      table.set(`comes-${number}`, '1');
      table.delete(`comes-${number}`);
    }
    expect([...table.names()]).toHaveLength(NAMES);
    expect(numbers.size).toBeLessThan(10_000);
  });

  test('cost nothing for streams that have gone', async () => {
    const numbers = new NameNumbers();
    for (let round = 0; round < 4; round++) {
      for (let stream = 0; stream < 1000; stream++) numbers.use({ mark: () => {} });
      // What was held weakly is held until the turn ends.
      await setImmediate();
      collect();
    }
    expect(numbers.users).toBeLessThan(2000);
  });
});
