import { describe, expect, test } from '@jest/globals';
import { exitCode, lastLine, sum, tallyOf } from './tally.ts';

const none = {
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
};

describe('the tally of a test run', () => {
  test.each([
    ['a skipped test', { numPendingTests: 1 }],
    ['a test that is only planned', { numTodoTests: 1 }],
    ['a file that does not load', { numRuntimeErrorTestSuites: 1 }],
    ['a failed test', { numFailedTests: 1 }],
  ])('counts %s as failed', (_, part) => {
    expect(tallyOf({ ...none, numPassedTests: 3, ...part })).toEqual({ passed: 3, failed: 1 });
  });

  test('adds layers up and says so in one line', () => {
    expect(
      lastLine(
        sum([
          { passed: 2, failed: 0 },
          { passed: 3, failed: 1 },
        ]),
      ),
    ).toBe('5 passed, 1 failed');
  });

  test.each([
    [{ passed: 0, failed: 0 }, 1],
    [{ passed: 5, failed: 1 }, 1],
    [{ passed: 5, failed: 0 }, 0],
  ])('of %j ends with exit code %d', (tally, code) => {
    expect(exitCode(tally)).toBe(code);
  });
});
