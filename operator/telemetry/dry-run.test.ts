import { expect, test } from '@jest/globals';
import { dryRunLimitsToken, dryRunToken } from '../../proxy/names.ts';
import { dryRunKey, isDryRunFamily, readDryRun } from './dry-run.ts';

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

const LIMITS = dryRunLimitsToken('shop', 'a');

test.each([
  [`${LIMITS}.http_local_rate_limit.ok`, '', false],
  ['http_local_rate_limit.rate_limited', `prefix=${LIMITS}`, true],
  [`cluster.ratelimit.${LIMITS}.over_limit`, '', true],
  [`cluster.ratelimit.${LIMITS}.ok`, 'inbound|8080||', false],
])('a counter of limits is read: %s', (family, labels, denied) => {
  expect(isDryRunFamily(family)).toBe(true);
  expect(readDryRun(dryRunKey(family, labels) ?? '')).toEqual({ policy: 'dry_run/shop/a/limits', denied });
});

test.each(['ratelimit.', 'ratelimit..', 'shadow_', 'shadow_allowed', '.ok', 'dry_run/', 'dry_run/.'])(
  'a name is looked through once, however long, though it is full of %j',
  (piece) => {
    const name = piece.repeat((1 << 18) / piece.length);
    const before = process.threadCpuUsage();
    if (isDryRunFamily(name)) dryRunKey(name, name);
    const { user, system } = process.threadCpuUsage(before);
    // In microseconds of CPU; the bound of `npm run fuzz`.
    expect(user + system).toBeLessThan(200_000);
  },
);

test('anything else is none', () => {
  expect(isDryRunFamily('istio_requests_total')).toBe(false);
  expect(isDryRunFamily('cluster.upstream_rq.ok')).toBe(false);
  expect(dryRunKey('http.rbac.shadow_denied', '')).toBeUndefined();
  expect(readDryRun('\n\u0005labels')).toBeUndefined();
});
