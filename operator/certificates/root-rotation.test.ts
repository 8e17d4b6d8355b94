import { beforeAll, describe, expect, test } from '@jest/globals';
import { abortRotation, advance, beginRotation, canAbort, firstState, newRoot, rotationStep } from './root-rotation.ts';
import type { RootState, SigningRoot } from './root-state.ts';
import { SHORT } from './testing/chain.ts';
import type { TrustSurvey } from './trust-survey.ts';

const now = Date.now();
const { propagationMs, workloadMs } = SHORT;
const ROOTS = 6;
let roots: SigningRoot[];
beforeAll(async () => {
  // Lives longer than any walk, but for one that is to be near its end.
  const lifetimes = { ...SHORT, rootMs: 3_600_000 };
  roots = await Promise.all(Array.from({ length: ROOTS }, () => newRoot(lifetimes, now)));
});

const rootAt = (index: number): SigningRoot => roots[index] as SigningRoot;
const QUIET: TrustSurvey = { whole: true, total: 2, done: 2, waiting: [], refused: [], missing: [], missingSince: 0 };
const begun = (): RootState => beginRotation(firstState(rootAt(0), now), rootAt(1), now, { name: 'a', uid: 'b' });
const step = (state: RootState, survey: Partial<TrustSurvey>, after: number) =>
  rotationStep(state, SHORT, { ...QUIET, ...survey }, state.since + after);

describe('a phase of a rotation', () => {
  test('ends when all proxies are done, and not before kubelets had their time', () => {
    expect(step(begun(), {}, propagationMs - 1)).toEqual({ kind: 'wait', ms: 1 });
    expect(step(begun(), {}, propagationMs)).toEqual({ kind: 'go', forced: false });
    expect(step(advance(begun(), now), {}, 2 * propagationMs - 1)).toEqual({ kind: 'wait', ms: 1 });
    expect(step(advance(begun(), now), {}, 2 * propagationMs)).toEqual({ kind: 'go', forced: false });
  });

  test.each([
    ['waits', { waiting: ['a/b'] }],
    ['refuses', { refused: [{ pod: 'a/b', message: 'no' }] }],
    ['is at a replica that does not report', { whole: false }],
  ])('Distributing lasts for as long as a proxy %s, until the old root has to go', (_, survey) => {
    expect(step(begun(), survey, 1_000_000)).toMatchObject({ kind: 'wait' });
    expect(step(begun(), survey, 3_600_000 - workloadMs - propagationMs)).toEqual({ kind: 'go', forced: true });
  });

  test.each([
    ['waits', { waiting: ['a/b'] }],
    ['refuses', { refused: [{ pod: 'a/b', message: 'no' }] }],
    ['is at a replica that does not report', { whole: false }],
  ])('Issuing lasts for as long as a proxy %s, until its old certificate has expired', (_, survey) => {
    const issuing = advance(begun(), now);
    expect(step(issuing, survey, workloadMs + propagationMs - 1)).toEqual({ kind: 'wait', ms: 1 });
    expect(step(issuing, survey, workloadMs + propagationMs)).toEqual({ kind: 'go', forced: true });
  });

  test('waits for a proxy without a stream until its certificate has expired', () => {
    for (const state of [begun(), advance(begun(), now)]) {
      expect(step(state, { missing: ['a/b'] }, workloadMs + propagationMs - 1)).toEqual({ kind: 'wait', ms: 1 });
      expect(step(state, { missing: ['a/b'] }, workloadMs + propagationMs)).toMatchObject({ kind: 'go' });
    }
  });

  test('waits longer for one that left in the midst of it, which may have been given a certificate until then', () => {
    const survey = { missing: ['a/b'], missingSince: now + 1000 };
    expect(step(begun(), survey, workloadMs + propagationMs + 999)).toEqual({ kind: 'wait', ms: 1 });
    expect(step(begun(), survey, workloadMs + propagationMs + 1000)).toMatchObject({ kind: 'go' });
  });

  test('Retiring waits for those that are there, but not for ever', () => {
    const retiring = advance(advance(begun(), now), now);
    expect(step(retiring, { missing: ['a/b'] }, 0)).toEqual({ kind: 'go', forced: false });
    expect(step(retiring, { waiting: ['a/b'] }, 0)).toMatchObject({ kind: 'wait' });
    expect(step(retiring, { waiting: ['a/b'] }, workloadMs + propagationMs)).toEqual({ kind: 'go', forced: true });
  });

  test('can be aborted before the old root goes, and not again until somebody asks', () => {
    const issuing = advance(begun(), now);
    const retiring = advance(issuing, now);
    expect([begun(), issuing, retiring, abortRotation(issuing, now)].map(canAbort)).toEqual([true, true, false, false]);
    expect(() => abortRotation(retiring, now)).toThrow('too late');
    const back = advance(abortRotation(issuing, now), now);
    expect(back.roots.map(String)).toEqual(begun().anchors.map(String));
    expect([back.rotation, back.declined]).toEqual([undefined, rootAt(0).signing.certificate.fingerprint256]);
  });
});
