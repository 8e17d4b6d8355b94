import { describe, expect, test } from '@jest/globals';
import type { SplitTerms } from '../mesh/split-terms.ts';
import { callerPosition, callerShares, callerSide } from './caller-side.ts';

const terms: SplitTerms = { matches: [], mirror: 0, stickiness: { kind: 'principal' }, key: '' };
const CALLERS = Array.from({ length: 5000 }, (_, nth) => `spiffe://cluster.local/ns/team-${nth % 50}/sa/app-${nth}`);

describe('the side that an identity decides on', () => {
  test('is the new one for as many as the weight says, and nobody falls back as it grows', () => {
    let before = new Set<string>();
    for (const weight of [0, 1, 5, 30, 31, 75, 99, 100]) {
      const on = CALLERS.filter(
        (caller) => callerSide({ terms, weight }, { position: callerPosition(caller) }) === 'next',
      );
      // Five standard deviations.
      const spread = 5 * Math.sqrt(CALLERS.length * (weight / 100) * (1 - weight / 100));
      expect(Math.abs(on.length - (CALLERS.length * weight) / 100)).toBeLessThanOrEqual(spread);
      const now = new Set(on);
      for (const caller of before) expect(now).toContain(caller);
      before = now;
    }
  });

  test('is the stable one for a client without an identity', () => {
    expect(callerSide({ terms, weight: 99 }, {})).toBe('stable');
  });

  test('is nobody’s where the Canary does not ask for it', () => {
    expect(
      callerSide({ terms: { ...terms, stickiness: { kind: 'source-ip' } }, weight: 50 }, { position: 1 }),
    ).toBeUndefined();
    expect(callerSide({ weight: 50 }, { position: 1 })).toBeUndefined();
  });
});

test('all requests of a client go to its side', () => {
  const split = { canary: 'Canary/shop/web', stable: 'old', next: 'new', terms } as const;
  const shares = [
    { cluster: 'new', weight: 20 },
    { cluster: 'old', weight: 80 },
  ];
  expect(callerShares({ shares, split }, { position: 19 })).toEqual([{ cluster: 'new', weight: 100 }]);
  expect(callerShares({ shares, split }, { position: 20 })).toEqual([{ cluster: 'old', weight: 100 }]);
  // Where one side has no endpoints there is no choice.
  expect(callerShares({ shares: [{ cluster: 'old', weight: 100 }] }, { position: 0 })).toEqual([
    { cluster: 'old', weight: 100 },
  ]);
});
