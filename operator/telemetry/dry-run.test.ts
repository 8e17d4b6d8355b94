import { expect, test } from '@jest/globals';
import { dryRunKey, dryRunToken, isDryRunFamily, readDryRun } from './dry-run.ts';

const POLICY = dryRunToken('shop', 'no.deletes');

test.each([
  ['of HTTP, where Envoy makes a label of the policy', 'http.rbac.shadow_denied', `\n\u0005\u0012\u0003${POLICY}\n`],
  ['of TCP, where it stays in the name', `rbac.${POLICY}.shadow_denied`, '\n\u0003inbound_8080'],
])('a counter %s is read', (_, family, labels) => {
  expect(isDryRunFamily(family)).toBe(true);
  expect(readDryRun(dryRunKey(family, labels) ?? '')).toEqual({ policy: 'dry_run/shop/no_deletes', denied: true });
});

test('what would have been allowed is told apart', () => {
  expect(readDryRun(dryRunKey(`rbac.${POLICY}.shadow_allowed`, '') ?? '')).toMatchObject({ denied: false });
});

test('anything else is none', () => {
  expect(isDryRunFamily('istio_requests_total')).toBe(false);
  expect(dryRunKey('http.rbac.shadow_denied', '')).toBeUndefined();
  expect(readDryRun('\n\u0005labels')).toBeUndefined();
});
