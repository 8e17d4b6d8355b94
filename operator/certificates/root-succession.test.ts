import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Issuer } from './certificate.ts';
import { beginRotation, finishRotation, firstState, newRoot, switchRoot } from './root-rotation.ts';
import type { RootState } from './root-state.ts';
import { RootSuccession } from './root-succession.ts';
import { SHORT } from './testing/chain.ts';

const now = Date.now();
const { workloadMs, propagationMs } = SHORT;
let roots: Issuer[];
beforeAll(async () => {
  roots = await Promise.all([1, 2, 3].map(() => newRoot(SHORT, now)));
});

const at = (index: number): RootState => firstState(roots[index] as Issuer, now);
const signer = ({ signing }: RootState): string => signing.certificate.fingerprint256;
const trusted = (state: RootState): string[] => state.roots.map(({ fingerprint256 }) => fingerprint256);

describe('the succession of roots', () => {
  test('begins with whatever is there', () => {
    expect(new RootSuccession(SHORT).next(at(0), now)).toEqual({ state: at(0), reviewAt: Number.POSITIVE_INFINITY });
  });

  test('trusts before it signs, and trusts what signed until it has expired', () => {
    const succession = new RootSuccession(SHORT);
    succession.next(at(0), now);
    const early = succession.next(at(1), now + 100);
    expect(signer(early.state)).toBe(signer(at(0)));
    expect(trusted(early.state)).toEqual([signer(at(1)), signer(at(0))]);
    expect(early.reviewAt).toBe(now + 100 + propagationMs);
    const switched = succession.next(at(1), early.reviewAt);
    expect(signer(switched.state)).toBe(signer(at(1)));
    expect(switched.reviewAt).toBe(early.reviewAt + workloadMs + propagationMs);
    expect(trusted(switched.state)).toHaveLength(2);
    expect(trusted(succession.next(at(1), switched.reviewAt).state)).toEqual([signer(at(1))]);
  });

  test('adds no wait to a rotation, which waits itself', () => {
    const succession = new RootSuccession(SHORT);
    succession.next(at(0), now);
    const begun = beginRotation(at(0), roots[1] as Issuer, now);
    succession.next(begun, now);
    const switched = switchRoot(begun, now + propagationMs);
    expect(signer(succession.next(switched, now + propagationMs + 5).state)).toBe(signer(switched));
    const end = now + propagationMs + workloadMs + propagationMs;
    const finished = succession.next(finishRotation(switched, end), end);
    expect(trusted(finished.state)).toEqual([signer(switched)]);
  });

  test('does not sign with a root that has expired, only to wait', () => {
    const succession = new RootSuccession(SHORT);
    succession.next(at(0), now);
    const { state } = succession.next({ ...at(1), roots: [] }, now + SHORT.rootMs);
    expect(signer(state)).toBe(signer(at(1)));
  });

  test('whatever the Secrets say and when, no certificate is in use whose root somebody does not trust', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 1500 }), fc.integer({ min: 0, max: 2 })), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(steps, (walk) => {
        const succession = new RootSuccession(SHORT);
        const first = succession.next(at(0), now).state;
        const history = [{ time: now - propagationMs, roots: trusted(first) }];
        const issued = [{ by: signer(first), until: now + workloadMs }];
        let time = now;
        for (const [wait, index] of walk) {
          // Until the next answer the present one signs.
          issued.push({ by: issued.at(-1)?.by ?? '', until: time + wait + workloadMs });
          time += wait;
          const { state } = succession.next(at(index), time);
          history.push({ time, roots: trusted(state) });
          issued.push({ by: signer(state), until: time + workloadMs });
          const oldest = history.findLastIndex((entry) => entry.time <= time - propagationMs);
          for (const { by, until } of issued) {
            if (until <= time) continue;
            for (const view of history.slice(Math.max(0, oldest))) expect(view.roots).toContain(by);
          }
        }
      }),
    );
  });
});
