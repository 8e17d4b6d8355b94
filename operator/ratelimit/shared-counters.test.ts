import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeQuestion, decodeTallies, encodeQuestion, encodeTallies } from './count-message.ts';
import type { Hit } from './counters.ts';
import { MemoryCounters } from './memory-counters.ts';
import { ownerOf, SharedCounters } from './shared-counters.ts';

const HIT: Hit = { key: 'a', overflow: 'all', hits: 1, requests: 10, unit: 'Hour' };
const hits = fc.record<Hit>({
  key: fc.string(),
  overflow: fc.string(),
  hits: fc.integer({ min: 1, max: 1000 }),
  requests: fc.integer({ min: 1, max: 1_000_000_000 }),
  unit: fc.constantFrom('Second', 'Minute', 'Hour', 'Day'),
});

test('what replicas ask each other comes as it was sent', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(hits), (domain, list) => {
      expect(decodeQuestion(encodeQuestion({ domain, hits: list }))).toEqual({ domain, hits: list });
    }),
  );
  const tallies = [
    { over: true, remaining: 0, resetMs: 86_399_999.5 },
    { over: false, remaining: 7, resetMs: 1 },
  ];
  expect(decodeTallies(encodeTallies(tallies))).toEqual(tallies);
  expect(() => decodeQuestion(Buffer.from('nonsense'))).toThrow();
});

describe('who counts a domain', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 5 });

  test('is one of them, whatever their order, and the same when another goes', () => {
    fc.assert(
      fc.property(fc.string(), names, (domain, all) => {
        const owner = ownerOf(domain, all);
        expect(all).toContain(owner);
        expect(ownerOf(domain, [...all].reverse())).toBe(owner);
        const left = all.find((name) => name !== owner);
        expect(
          ownerOf(
            domain,
            all.filter((name) => name !== left),
          ),
        ).toBe(owner);
      }),
    );
  });

  test('is now this one, now that', () => {
    const owners = new Set(Array.from({ length: 50 }, (_, n) => ownerOf(`shop/${n}`, ['a', 'b', 'c'])));
    expect(owners.size).toBe(3);
  });
});

describe('replicas without a store of their own', () => {
  /** Some of them, which hear each other or do not. */
  function newReplicas(names: readonly string[], isHeard: () => boolean) {
    const all = new Map<string, SharedCounters>();
    for (const self of names) {
      const counters = new SharedCounters(new MemoryCounters(), {
        self,
        others: () => names.filter((name) => name !== self),
        ask: async (name, question) => {
          const asked = all.get(name);
          if (!isHeard() || asked === undefined) throw new Error('not heard');
          return asked.answer(question);
        },
      });
      all.set(self, counters);
    }
    return [...all.values()];
  }

  test('count each domain together', async () => {
    const replicas = newReplicas(['a', 'b', 'c'], () => true);
    for (const domain of ['shop/a', 'shop/b', 'shop/c']) {
      let served = 0;
      for (let n = 0; n < 30; n++) {
        const [tally] = (await replicas[n % 3]?.count(domain, [HIT])) ?? [];
        if (tally?.over === false) served += 1;
      }
      expect(served).toBe(10);
    }
  });

  test('count each for itself while they do not hear each other', async () => {
    const replicas = newReplicas(['a', 'b'], () => false);
    for (const replica of replicas) {
      const tallies = await Promise.all(Array.from({ length: 12 }, () => replica.count('shop/a', [HIT])));
      expect(tallies.flat().filter(({ over }) => over)).toHaveLength(2);
    }
  });

  test('count what they are asked, whoever they take for the owner themselves: two that see others must not ask each other on and on', async () => {
    const asked: string[] = [];
    const counters = new SharedCounters(new MemoryCounters(), {
      self: 'a',
      others: () => ['b'],
      ask: async (name) => {
        asked.push(name);
        throw new Error('not heard');
      },
    });
    const domain = Array.from({ length: 50 }, (_, n) => `shop/${n}`).find((one) => ownerOf(one, ['a', 'b']) === 'b');
    const question = encodeQuestion({ domain: domain ?? '', hits: [HIT] });
    expect(decodeTallies(await counters.answer(question))).toMatchObject([{ over: false, remaining: 9 }]);
    expect(asked).toEqual([]);
  });

  test('count for themselves where an answer is not of what was asked', async () => {
    const counters = new SharedCounters(new MemoryCounters(), {
      self: 'a',
      others: () => ['b'],
      ask: async () => encodeTallies([]),
    });
    for (let n = 0; n < 50; n++) expect(await counters.count(`shop/${n}`, [HIT])).toMatchObject([{ remaining: 9 }]);
  });
});
