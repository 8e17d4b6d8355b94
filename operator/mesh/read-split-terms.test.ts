import { describe, expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { readSplitTerms } from './read-split-terms.ts';

const MATCHED = {
  iterations: 2,
  match: [{ headers: { 'X-Beta': { exact: 'yes' } }, cookies: { beta: { prefix: '1' } } }],
};
const AFFINE = { stepWeight: 5, sessionAffinity: { cookieName: 'seen', primaryCookieName: 'seen-not' } };
const STICKY = { stepWeight: 5, stickiness: { header: 'X-User' } };
const terms = (analysis: object, status: CanaryStatus) => readSplitTerms(analysis, status, 'r1', 'r2');

describe('the terms of a split', () => {
  test.each<[string, object, CanaryStatus]>([
    ['while nothing is got', MATCHED, { weight: 0 }],
    ['of a revision that failed', AFFINE, { weight: 0, failedRevision: 'r2' }],
    ['by weight alone', { stepWeight: 5 }, { weight: 5 }],
    ['that are no terms', { match: [{ headers: { a: { regex: '(' } } }] }, { weight: 0, matched: true }],
    ['that match everything', { match: [{}] }, { weight: 0, matched: true }],
    ['without a status', MATCHED, {}],
  ])('are none %s', (_, analysis, status) => {
    expect(terms(analysis, status)).toBeUndefined();
  });

  test('are the matches once they are in force', () => {
    expect(terms(MATCHED, { matched: true })).toMatchObject({
      matches: [
        {
          headers: [{ name: 'x-beta', value: { kind: 'exact', value: 'yes' } }],
          cookies: [{ name: 'beta', value: { kind: 'prefix', value: '1' } }],
        },
      ],
      mirror: 0,
    });
  });

  test('are copies without what else the analysis says', () => {
    expect(terms({ ...MATCHED, mirror: true }, { mirrorWeight: 30 })).toMatchObject({ matches: [], mirror: 30 });
  });

  test('are cookies of this release alone', () => {
    const { nextCookie, stableCookie } = terms(AFFINE, { weight: 5 }) ?? {};
    expect(nextCookie).toEqual({ name: 'seen', value: 'r2', header: 'seen=r2; Max-Age=86400; Path=/' });
    expect(stableCookie).toMatchObject({ name: 'seen-not', value: 'r1.r2' });
  });

  test.each([
    [STICKY.stickiness, { kind: 'header', name: 'x-user' }],
    [{ cookie: 'User' }, { kind: 'cookie', name: 'User' }],
    [{ sourceAddress: true }, { kind: 'source-ip' }],
    [{ principal: true }, { kind: 'principal' }],
  ])('are what is hashed: %j', (stickiness, hash) => {
    expect(terms({ ...STICKY, stickiness }, { weight: 5 })?.stickiness).toEqual(hash);
  });

  test('tell by their key whether they are those of another analysis', () => {
    const keys = [MATCHED, AFFINE, STICKY].map((analysis) => terms(analysis, { weight: 5, matched: true })?.key);
    expect(new Set(keys).size).toBe(3);
    expect(terms(MATCHED, { matched: true })?.key).toBe(keys[0]);
  });
});
