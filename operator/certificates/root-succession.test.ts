import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { abortRotation, advance, beginRotation, firstState, newRoot } from './root-rotation.ts';
import type { RootState, SigningRoot } from './root-state.ts';
import { RootSuccession } from './root-succession.ts';
import { SHORT } from './testing/chain.ts';

const now = Date.now();
const { workloadMs, propagationMs } = SHORT;
let roots: SigningRoot[];
beforeAll(async () => {
  roots = await Promise.all([1, 2, 3].map(() => newRoot(SHORT, now)));
});

const at = (index: number): RootState => firstState(roots[index] as SigningRoot, now);
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

  test('adds nothing to a rotation, which waits itself', () => {
    const succession = new RootSuccession(SHORT);
    succession.next(at(0), now);
    const begun = beginRotation(at(0), roots[1] as SigningRoot, now);
    expect(trusted(succession.next(begun, now).state)).toHaveLength(2);
    const issuing = advance(begun, now);
    expect(signer(succession.next(issuing, now).state)).toBe(signer(at(1)));
    const back = abortRotation(issuing, now);
    expect(signer(succession.next(back, now).state)).toBe(signer(at(0)));
    const { state, reviewAt } = succession.next(advance(back, now), now);
    expect([trusted(state), reviewAt]).toEqual([[signer(at(0))], Number.POSITIVE_INFINITY]);
  });

  test('of a replica that heard of nothing in between takes up what a rotation led to', () => {
    const succession = new RootSuccession(SHORT);
    succession.next(at(0), now);
    const retiring = advance(advance(beginRotation(at(0), roots[1] as SigningRoot, now), now), now);
    for (const state of [retiring, advance(retiring, now)]) {
      const found = succession.next(state, now).state;
      expect([signer(found), trusted(found)]).toEqual([signer(at(1)), [signer(at(1))]]);
    }
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
