import { expect } from '@jest/globals';
import { credibleRange } from '../../feature/support/binomial.ts';

/**
 * Expects that a share came out as it should: as all but one in a billion runs would have it.
 * @param count how many of the tries came out one way; undefined for none
 * @param chance of each to do so, 0 to 1
 */
export function expectShare(count: number | undefined, tries: number, chance: number): void {
  const { least, most } = credibleRange(tries, chance);
  expect(count ?? 0).toBeGreaterThanOrEqual(least);
  expect(count ?? 0).toBeLessThanOrEqual(most);
}
