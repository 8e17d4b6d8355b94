import { describe, expect, test } from '@jest/globals';
import { Findings } from './field-check.ts';
import { checkDuration, istioDurationMs } from './istio-duration.ts';

describe("A duration in Istio's YAML", () => {
  test.each([
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['500ms', 500],
    ['100us', 0.1],
    ['0', 0],
    ['-3s', -3000],
  ])('%s is %d ms', (text, ms) => {
    expect(istioDurationMs(text)).toBeCloseTo(ms, 9);
  });

  test.each(['', '10', '5 s', '1d', 's', '1e3s', '9999999999999999h'])('"%s" is none', (text) => {
    expect(istioDurationMs(text)).toBeUndefined();
  });

  test.each([
    ['0s', false, 1],
    ['0s', true, 0],
    ['999us', true, 1],
    ['-1s', true, 1],
    ['1ms', false, 0],
    ['soon', false, 1],
  ])('"%s", zero allowed: %s, has %d errors', (text, mayBeZero, count) => {
    const found = new Findings();
    checkDuration(found, 'spec.timeout', text, mayBeZero);
    expect(found.errors).toHaveLength(count);
  });
});
