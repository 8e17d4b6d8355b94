import { describe, expect, test } from '@jest/globals';
import { duration, durationMs } from './duration.ts';

describe('durations', () => {
  test.each([
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
  ])('%s is %d ms', (text, ms) => {
    expect(duration.safeParse(text).success).toBe(true);
    expect(durationMs(text)).toBe(ms);
  });

  test.each(['', '5', 's', '-5s', '+5s', '5 s', '1d', '0s', '0h0m', '1e3s', '9'.repeat(40)])(
    '"%s" is refused',
    (text) => {
      expect(duration.safeParse(text).success).toBe(false);
    },
  );
});
