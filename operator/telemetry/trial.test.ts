import { expect, test } from '@jest/globals';
import { isTrialFamily, readTrial, trialKey, trialToken } from './trial.ts';

const POLICY = trialToken('shop', 'no.deletes');

test.each([
  ['of HTTP, where Envoy makes a label of the policy', 'http.rbac.shadow_denied', `\n\u0005\u0012\u0003${POLICY}\n`],
  ['of TCP, where it stays in the name', `rbac.${POLICY}.shadow_denied`, '\n\u0003inbound_8080'],
])('a counter %s is read', (_, family, labels) => {
  expect(isTrialFamily(family)).toBe(true);
  expect(readTrial(trialKey(family, labels) ?? '')).toEqual({ policy: 'dry_run/shop/no_deletes', denied: true });
});

test('what would have been allowed is told apart', () => {
  expect(readTrial(trialKey(`rbac.${POLICY}.shadow_allowed`, '') ?? '')).toMatchObject({ denied: false });
});

test('anything else is none', () => {
  expect(isTrialFamily('istio_requests_total')).toBe(false);
  expect(trialKey('http.rbac.shadow_denied', '')).toBeUndefined();
  expect(readTrial('\n\u0005labels')).toBeUndefined();
});
