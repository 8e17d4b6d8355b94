import { expect, test } from '@jest/globals';
import { simulate } from './simulate.ts';

/** `npm run simulate` lives through as many as one likes. */
const SCHEDULES = 100;

test('over random releases and faults no bad revision is released, no Canary stands still, and each says why it is where it is', () => {
  let promotions = 0;
  let failures = 0;
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const outcome = simulate(seed);
    promotions += outcome.promotions;
    failures += outcome.failures;
  }
  // Schedules in which nothing ever comes to a verdict would prove nothing.
  expect(promotions).toBeGreaterThan(SCHEDULES / 10);
  expect(failures).toBeGreaterThan(SCHEDULES / 10);
}, 60_000);
