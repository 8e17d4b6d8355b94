import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readMeshConfig } from '../../api/mesh-config.ts';
import { checkLifetimes, DEFAULT_LIFETIMES, lifetimesFrom, renewalTime } from './lifetimes.ts';
import { SHORT } from './testing/chain.ts';

describe('lifetimes', () => {
  const settings = (more: object) => readMeshConfig(JSON.stringify({ certificates: more })).certificates;

  test('are taken from the mesh settings', () => {
    expect(lifetimesFrom(settings({ workloadLifetime: '90s' }))).toMatchObject({ workloadMs: 90_000 });
    expect(lifetimesFrom(settings({}))).toEqual(DEFAULT_LIFETIMES);
  });

  test.each([
    [{ workloadLifetime: '8760h' }, /certificates.workloadLifetime must be at most half/],
    [{ intermediateLifetime: '999999h' }, /certificates.intermediateLifetime must not exceed/],
    [
      { rootLifetime: '3m', intermediateLifetime: '3m', workloadLifetime: '90s' },
      /certificates.rootLifetime must be at least/,
    ],
  ])('%j is refused', (more, message) => expect(() => lifetimesFrom(settings(more))).toThrow(message));

  test('fit each other by default and in tests', () => {
    for (const lifetimes of [DEFAULT_LIFETIMES, SHORT]) expect(() => checkLifetimes(lifetimes)).not.toThrow();
  });

  test('renewal is always between one half and seven tenths of the life', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e12 }),
        fc.integer({ min: 1, max: 1e9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (at, life, random) => {
          const time = renewalTime(at, at + life, random);
          expect(time).toBeGreaterThanOrEqual(at + life / 2 - 1);
          expect(time).toBeLessThanOrEqual(at + life * 0.7 + 1);
        },
      ),
    );
  });
});
