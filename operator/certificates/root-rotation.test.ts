import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readMeshConfig } from '../../api/mesh-config.ts';
import type { Issuer } from './certificate.ts';
import { checkLifetimes, DEFAULT_LIFETIMES, lifetimesFrom, renewalTime } from './lifetimes.ts';
import { beginRotation, finishRotation, firstState, newRoot, rotationStep, switchRoot } from './root-rotation.ts';
import type { RootState } from './root-state.ts';
import { SHORT } from './testing/chain.ts';

const now = Date.now();
let roots: Issuer[];
beforeAll(async () => {
  roots = await Promise.all([1, 2, 3, 4].map(() => newRoot(SHORT, now)));
});

const id = ({ certificate }: Issuer) => certificate.fingerprint256;

describe('rotation of the root', () => {
  test('waits while the root is young, begins when it nears its end or is asked to', () => {
    const state = firstState(roots[0] as Issuer, now);
    expect(rotationStep(state, SHORT, false, now)).toMatchObject({ kind: 'wait' });
    expect(rotationStep(state, SHORT, true, now)).toEqual({ kind: 'begin' });
    expect(rotationStep(state, SHORT, false, now + SHORT.rootMs - 9000)).toEqual({ kind: 'begin' });
  });

  test('at no time is a certificate in use whose root is not trusted by everybody', () => {
    const delays = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 5, maxLength: 60 });
    fc.assert(
      fc.property(delays, fc.infiniteStream(fc.boolean()), (waits, requests) => {
        let time = now;
        let used = 0;
        let state: RootState = firstState(roots[0] as Issuer, time);
        /** Roots in force, and since when: a proxy may be as late as the propagation time. */
        const history = [
          { at: time - SHORT.propagationMs, roots: new Set(state.roots.map((root) => root.fingerprint256)) },
        ];
        const issued = [{ by: id(state.signing), until: time + SHORT.workloadMs }];
        for (const wait of waits) {
          time += wait;
          const step = rotationStep(state, SHORT, requests.next().value === true && used < 3, time);
          if (step.kind === 'begin' && used >= 3) break;
          if (step.kind === 'begin') state = beginRotation(state, roots[++used] as Issuer, time);
          if (step.kind === 'switch') state = switchRoot(state, time);
          if (step.kind === 'finish') state = finishRotation(state, time);
          if (step.kind !== 'wait')
            history.push({ at: time, roots: new Set(state.roots.map((root) => root.fingerprint256)) });
          issued.push({ by: id(state.signing), until: time + SHORT.workloadMs });
          const oldestView = history.findLast(({ at }) => at <= time - SHORT.propagationMs) ?? history[0];
          const views = history.filter((entry) => entry.at >= (oldestView?.at ?? 0));
          for (const { by, until } of issued) {
            if (until < time) continue;
            for (const view of views) expect(view.roots.has(by)).toBe(true);
          }
        }
      }),
    );
  });
});

describe('lifetimes', () => {
  const settings = (more: object) => readMeshConfig(JSON.stringify({ certificates: more })).certificates;

  test('are taken from the mesh settings', () => {
    expect(lifetimesFrom(settings({ workloadLifetime: '90s' }))).toMatchObject({ workloadMs: 90_000 });
    expect(lifetimesFrom(settings({}))).toEqual(DEFAULT_LIFETIMES);
  });

  test.each([
    [{ workloadLifetime: '8760h' }, /certificates.workloadLifetime must be at most half/],
    [{ intermediateLifetime: '999999h' }, /certificates.intermediateLifetime must not exceed/],
    [
      { rootLifetime: '3m', intermediateLifetime: '3m', workloadLifetime: '90s' },
      /certificates.rootLifetime must be at least/,
    ],
  ])('%j is refused', (more, message) => expect(() => lifetimesFrom(settings(more))).toThrow(message));

  test('fit each other by default and in tests', () => {
    for (const lifetimes of [DEFAULT_LIFETIMES, SHORT]) expect(() => checkLifetimes(lifetimes)).not.toThrow();
  });

  test('renewal is always between one half and seven tenths of the life', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e12 }),
        fc.integer({ min: 1, max: 1e9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (at, life, random) => {
          const time = renewalTime(at, at + life, random);
          expect(time).toBeGreaterThanOrEqual(at + life / 2 - 1);
          expect(time).toBeLessThanOrEqual(at + life * 0.7 + 1);
        },
      ),
    );
  });
});
