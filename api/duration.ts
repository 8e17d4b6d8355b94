import { z } from 'zod';
import { istioDurationMs } from './istio-duration.ts';
import { withRules } from './rule.ts';

const PATTERN = /^(?:[0-9]+(?:[.][0-9]+)?(?:ms|s|m|h))+$/;

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
  return istioDurationMs(text) ?? 0;
}
