import { beforeAll, describe, expect, test } from '@jest/globals';
import { DEFAULT_LIFETIMES, rotationMarginMs } from './lifetimes.ts';
import { abortRotation, beginRotation, firstState, newRoot } from './root-rotation.ts';
import { expiryOf, type RootState, type SigningRoot } from './root-state.ts';
import { marginMs, rotationCause } from './rotation-cause.ts';

const now = Date.now();
const DAY_MS = 86_400_000;
let ours: RootState;
let user: SigningRoot;
beforeAll(async () => {
  ours = firstState(await newRoot(DEFAULT_LIFETIMES, now), now);
  user = { ...(await newRoot({ ...DEFAULT_LIFETIMES, rootMs: 90 * DAY_MS }, now)), origin: 'cacerts' };
});

const causeOf = (state: RootState, given: SigningRoot | undefined, at: number, keptByUser = given !== undefined) =>
  rotationCause(state, given, keptByUser, DEFAULT_LIFETIMES, at);

describe('what is done about a root unasked', () => {
  test('is nothing while it is young, and a rotation with a fifth of its life left', () => {
    const margin = rotationMarginMs(DEFAULT_LIFETIMES);
    expect(causeOf(ours, undefined, now)).toEqual({ kind: 'none', ms: expiryOf(ours) - margin - now });
    expect(causeOf(ours, undefined, expiryOf(ours) - margin)).toEqual({ kind: 'rotate', reason: 'RootExpires' });
  });

  test('is a rotation to the CA of the user when that comes, but not again after an abort', async () => {
    expect(causeOf(ours, user, now)).toEqual({ kind: 'rotate', reason: 'UserRootChanged' });
    const back = abortRotation(beginRotation(ours, user, now), now);
    expect(causeOf(back, user, now)).toMatchObject({ kind: 'none' });
    const other: SigningRoot = { ...(await newRoot(DEFAULT_LIFETIMES, now)), origin: 'cacerts' };
    expect(causeOf(back, other, now)).toEqual({ kind: 'rotate', reason: 'UserRootChanged' });
  });

  test('is a warning well before the CA of the user ends, which only the user can replace', () => {
    const state = firstState(user, now);
    expect(causeOf(state, user, expiryOf(user) - marginMs(user, DEFAULT_LIFETIMES) - 1)).toEqual({
      kind: 'none',
      ms: 1,
    });
    expect(causeOf(state, user, expiryOf(user) - 17 * DAY_MS)).toEqual({ kind: 'warn', leftMs: 17 * DAY_MS });
    // Where the Secret is gone it is left to us.
    const left = expiryOf(user) - 17 * DAY_MS;
    expect(causeOf(state, undefined, left)).toEqual({ kind: 'rotate', reason: 'RootExpires' });
  });

  test('is to take over another bundle of the user above the same signer at once', () => {
    const wider: SigningRoot = { ...user, anchors: [...user.anchors, ...ours.anchors] };
    expect(causeOf(firstState(user, now), wider, now)).toEqual({ kind: 'replace', root: wider });
  });

  test('overrules an abort when time presses', () => {
    const near = expiryOf(ours) - rotationMarginMs(DEFAULT_LIFETIMES) + 1;
    const back = { ...ours, declined: ours.signing.certificate.fingerprint256 };
    expect(causeOf(back, undefined, near)).toMatchObject({ kind: 'warn' });
    const late = expiryOf(ours) - rotationMarginMs(DEFAULT_LIFETIMES) / 2 + 1;
    expect(causeOf(back, undefined, late)).toEqual({ kind: 'rotate', reason: 'RootExpires' });
  });
});
