import { expect, test } from '@jest/globals';
import { REFUSED_METRIC } from '../../proxy/names.ts';
import { decodeLabels } from './metrics-message.ts';
import { isRefusalFamily, readRefusal, refusalKey, refusalLabels } from './refusals.ts';
import { encodeLabels } from './testing/encoded-labels.ts';

const POLICY = { kind: 'RateLimitPolicy', namespace: 'shop', name: 'own' };
const read = (labels: Record<string, string>) =>
  readRefusal(decodeLabels(refusalLabels(refusalKey(encodeLabels(labels))) ?? ''));

test.each([
  ['1', false],
  ['2', true],
])('of a series with among %s it is known whether another may have decided', (among, shared) => {
  expect(read({ ...POLICY, reason: 'local_limit', among })).toEqual({
    policy: POLICY,
    shared,
    reason: 'local_limit',
    among: Number(among),
  });
});

test('labels without a policy are none', () => {
  expect(read({ kind: 'RateLimitPolicy', namespace: 'shop' })).toBeUndefined();
});

test('its family is known by its name, with a scope in front or not, and no other key is taken for one of it', () => {
  expect(isRefusalFamily(REFUSED_METRIC)).toBe(true);
  expect(isRefusalFamily(`envoy_${REFUSED_METRIC}`)).toBe(true);
  expect(isRefusalFamily('istio_requests_total')).toBe(false);
  expect(refusalLabels(encodeLabels(POLICY))).toBeUndefined();
});
