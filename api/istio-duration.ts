import type { Findings } from './field-check.ts';

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);
const AMOUNT = '(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)';
const WHOLE = new RegExp(`^[-+]?(?:${AMOUNT}(?:ns|us|µs|μs|ms|s|m|h))+$`);
const PART = new RegExp(`(${AMOUNT})(ns|us|µs|μs|ms|s|m|h)`, 'g');
/** Longest duration a protobuf message can hold, about 10,000 years, in milliseconds. */
const LONGEST_MS = 315_576_000_000_000;

/**
 * Reads a duration as Istio's YAML spells it, in Go's notation: `10s`, `1m30s`, `1.5h`, `500ms`, `0`.
 * @returns milliseconds, or nothing when the text is no duration
 */
export function istioDurationMs(text: string): number | undefined {
  if (/^[-+]?0$/.test(text)) return 0;
  if (text.length > 64 || !WHOLE.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART)) total += Number(amount) * (UNIT_MS.get(unit ?? '') ?? 0);
  if (total > LONGEST_MS) return undefined;
  return text.startsWith('-') ? -total : total;
}

/** Reports a duration that is none or is shorter than Envoy's timers can take (1 ms); a missing one is fine. */
export function checkDuration(found: Findings, field: string, text: string | undefined, mayBeZero = false): void {
  if (text === undefined) return;
  const ms = istioDurationMs(text);
  if (ms === undefined) found.error(field, `must be a duration such as "10s", "1m30s" or "500ms", and is "${text}"`);
  else if (ms < 1 && !(mayBeZero && ms === 0)) {
    found.error(field, `must be ${mayBeZero ? '"0s" or ' : ''}at least "1ms", and is "${text}"`);
  }
}
