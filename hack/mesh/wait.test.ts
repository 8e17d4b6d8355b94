import { describe, expect, test } from '@jest/globals';
import { waitFor, waitUntil } from './wait.ts';

describe('waiting', () => {
  test('gives the first answer', async () => {
    const answers = [undefined, undefined, 7];
    expect(await waitFor('seven', async () => answers.shift(), { everyMs: 1 })).toBe(7);
  });

  test('says what it waited for and what was amiss last', async () => {
    const probe = async () => 'pod a is not ready';
    await expect(waitUntil('two pods', probe, { timeoutMs: 20, everyMs: 5 })).rejects.toThrow(
      'waited 0 s for two pods; last: pod a is not ready',
    );
  });
});
