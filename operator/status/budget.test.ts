import { describe, expect, test } from '@jest/globals';
import { Budget } from './budget.ts';
import { FakeClock } from './testing/fake-clock.ts';

describe('a budget', () => {
  test('gives a second of units at once, then as they come', async () => {
    const clock = new FakeClock();
    const budget = new Budget(clock, 10);
    budget.spend(10);
    expect(budget.wait()).toBe(100);
    await clock.pass(100);
    expect(budget.wait()).toBe(0);
  });

  test('that is overdrawn makes wait until it is paid off, and saves up no more than a second', async () => {
    const clock = new FakeClock();
    const budget = new Budget(clock, 10);
    budget.spend(30);
    expect(budget.wait()).toBe(2100);
    await clock.pass(3_600_000);
    budget.spend(10);
    expect(budget.wait()).toBe(100);
  });
});
