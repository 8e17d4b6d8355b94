import { z } from 'zod';
import { withRules } from './rule.ts';

const PATTERN = /^(?:[0-9]+(?:[.][0-9]+)?(?:ms|s|m|h))+$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A positive duration in Go's notation: `10s`, `1m30s`, `500ms`. */
export const duration = withRules(z.string().max(32), [
  {
    cel: `self.matches('${PATTERN.source}') && duration(self) > duration('0s')`,
    message: 'must be a positive duration such as "30s", "1m30s" or "500ms"',
    holds: (text) => PATTERN.test(text) && durationMs(text) > 0,
  },
]);

/**
 * Reads a duration in Go's notation.
 * @returns milliseconds
 * @throws {RangeError} when the text is no duration
 */
export function durationMs(text: string): number {
  if (!PATTERN.test(text)) throw new RangeError(`"${text}" is not a positive duration such as "30s" or "1m30s"`);
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+(?:[.][0-9]+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return total;
}
