import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { overload } from './overload.ts';

describe('a replica', () => {
  test.each<[string, number, number, number[] | undefined]>([
    ['alone', 5000, 500, []],
    ['that does not know of the others', 5000, 500, undefined],
    ['with as many proxies as the others', 5000, 500, [500, 700]],
    ['that nobody waits for', 0, 500, [0]],
    ['that only a few wait for', 100, 500, [0]],
  ])('%s takes more connections', (_, waiting, own, others) => {
    expect(overload(waiting, own, others)).toBeUndefined();
  });

  test('that many wait for takes no more while another has fewer proxies, and says so', () => {
    expect(overload(1500, 500, [700, 20])).toBe(
      '1500 connections wait here, which has 500 proxies, while another replica has 20',
    );
  });

  test('is always left to take connections, however many wait at each', () => {
    const replica = fc.record({ waiting: fc.nat({ max: 3000 }), own: fc.nat({ max: 10 }) });
    fc.assert(
      fc.property(fc.array(replica, { minLength: 1, maxLength: 5 }), (replicas) => {
        const taking = replicas.filter(({ waiting, own }, index) => {
          const others = replicas.filter((_, other) => other !== index).map((other) => other.own);
          return overload(waiting, own, others) === undefined;
        });
        expect(taking.length).toBeGreaterThan(0);
      }),
    );
  });
});
