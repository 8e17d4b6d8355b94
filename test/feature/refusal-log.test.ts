import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AskedService, CustomWorld } from './support/custom-world.ts';
import { freePort } from './support/free-port.ts';
import { HttpAuthorizer } from './support/http-authorizer.ts';
import { refusalCounts } from './support/refusal-counts.ts';

/** What a real sidecar writes, and counts, of what policies refuse. */

const UI = 'cluster.local/ns/shop/sa/ui';
const ORDERING = 'cluster.local/ns/shop/sa/ordering';
const authorizer = new HttpAuthorizer();
const allow = (path: string) => ({ rules: [{ to: [{ operation: { paths: [path] } }] }] });
const deny = (path: string) => ({ action: 'DENY' as const, ...allow(path) });
const tcp = (policy: AskedService['policies'][number]): AskedService => ({ protocol: 'tcp', policies: [policy] });
const get = { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] };
const world = new CustomWorld(
  [
    {
      name: 'login',
      envoyExtAuthzHttp: { service: 'auth/login.example.com', port: 9000, includeRequestHeadersInCheck: ['x-verdict'] },
    },
  ],
  {
    rules: { policies: [deny('/denied'), get, deny('/denied-too')] },
    either: { policies: [allow('/a'), allow('/b')] },
    asking: { policies: [{ action: 'CUSTOM' as const, provider: { name: 'login' }, rules: [{}] }] },
    named: tcp({ rules: [{ from: [{ source: { principals: [ORDERING] } }] }] }),
    nobody: tcp({ rules: [] }),
    closed: tcp({ action: 'DENY', rules: [{}] }),
    bytes: {
      protocol: 'tcp',
      policies: [{ action: 'DENY' as const, rules: [{ from: [{ source: { principals: [UI] } }] }] }],
    },
  },
);

beforeAll(async () => {
  const port = await authorizer.start();
  await world.start({ 'login.example.com': port, 'down.example.com': await freePort() }, [UI, ORDERING]);
}, 60_000);
afterAll(async () => {
  await world.stop();
  authorizer.stop();
});

/** Waits for something, for a minute; what is looked at then tells. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end && !(await isSo()); ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const counts = async () => refusalCounts(await world.admin('/stats/prometheus'));

const written = (field: string, value: string): Promise<Record<string, unknown>> =>
  world.logLine(`${value} in ${field}`, (line) => String(line[field]).includes(value));

test('a request that a DENY refuses is told with the rule, and one that went well not at all', async () => {
  expect((await world.ask('rules', '/fine')).status).toBe(200);
  expect(await world.ask('rules', '/denied', { principal: UI })).toMatchObject({
    status: 403,
    body: 'RBAC: access denied',
  });
  const line = await written('details', 'rule[0]');
  expect(line).toMatchObject({
    path: '/denied',
    method: 'GET',
    response_code: 403,
    source_principal: `spiffe://${UI}`,
  });
  expect(line.decided_by).toBe('AuthorizationPolicy DENY shop/rules, shop/rules-2');
  expect(world.logLines().map(({ path }) => path)).not.toContain('/fine');
}, 90_000);

test('one that no ALLOW policy matches is told with these', async () => {
  expect((await world.ask('rules', '/other', { method: 'POST' })).status).toBe(403);
  const line = await written('path', '/other');
  expect(line.decided_by).toMatch(/^no ALLOW policy matched: AuthorizationPolicy shop\/rules-1$/);
}, 90_000);

test('what a provider refuses is told with the policy that asks it', async () => {
  expect((await world.ask('asking', '/asked', { headers: { 'x-verdict': 'deny' } })).status).toBe(401);
  expect((await written('path', '/asked')).decided_by).toMatch(/^AuthorizationPolicy CUSTOM shop\/asking$/);
}, 90_000);

test('so is a connection of TCP', async () => {
  await world.say('bytes', UI);
  expect(await written('decided_by', 'shop/bytes')).toMatchObject({ source_principal: `spiffe://${UI}` });
}, 90_000);

test('and one that is refused with its handshake, or as its port leads nowhere', async () => {
  expect(await world.say('named', ORDERING).catch(() => '')).toContain('heard');
  await world.say('named', UI).catch(() => '');
  const handshake = await written('transport_failure', 'SAN');
  expect(handshake).toMatchObject({
    decided_by: 'no ALLOW policy matched: AuthorizationPolicy shop/named',
    source_principal: `spiffe://${UI}`,
  });
  // These are closed before anybody has shown a certificate.
  for (const name of ['nobody', 'closed']) await world.say(name, ORDERING).catch(() => '');
  await written('decided_by', 'no ALLOW policy matched: AuthorizationPolicy shop/nobody');
  await written('decided_by', 'AuthorizationPolicy DENY shop/closed');
  // Who shows no certificate has no name.
  await world.say('named').catch(() => '');
  await until(async () => (await counts())['AuthorizationPolicy shop/named no_allow_matched of 1'] === 2);
  expect(await counts()).toMatchObject({
    'AuthorizationPolicy shop/nobody no_allow_matched of 1': 1,
    'AuthorizationPolicy shop/closed deny of 1': 1,
  });
}, 90_000);

test('all of it is counted by policy, and of several of which Envoy tells none each counts', async () => {
  const before = await counts();
  for (const path of ['/denied', '/denied-too', '/denied-too']) await world.ask('rules', path);
  await world.ask('rules', '/other', { method: 'POST' });
  await world.ask('asking', '/asked', { headers: { 'x-verdict': 'deny' } });
  await world.say('bytes', UI);
  await world.ask('either', '/nobody');
  // The application's own answer is nobody's refusal.
  expect((await world.ask('rules', '/fine?failing=rules')).status).toBe(503);
  const grown = async () => {
    const after = await counts();
    return Object.fromEntries(Object.entries(after).map(([series, count]) => [series, count - (before[series] ?? 0)]));
  };
  const wanted = {
    'AuthorizationPolicy shop/rules deny of 1': 1,
    'AuthorizationPolicy shop/rules-2 deny of 1': 2,
    'AuthorizationPolicy shop/rules-1 no_allow_matched of 1': 1,
    'AuthorizationPolicy shop/asking custom of 1': 1,
    'AuthorizationPolicy shop/bytes deny of 1': 1,
    'AuthorizationPolicy shop/either no_allow_matched of 2': 1,
    'AuthorizationPolicy shop/either-1 no_allow_matched of 2': 1,
  };
  const total = (of: Record<string, number>) => Object.values(of).reduce((sum, one) => sum + one, 0);
  await until(async () => total(await grown()) >= total(wanted));
  expect(await grown()).toMatchObject(wanted);
  expect(total(await grown())).toBe(total(wanted));
}, 90_000);

test('a flood of them is counted, but written down no more often than there is a budget for', async () => {
  const FLOOD = 400;
  const rules = 'AuthorizationPolicy shop/rules deny of 1';
  const before = (await counts())[rules] ?? 0;
  const leftOut = async () => Number(/denied: (\d+)/.exec(await world.admin('/stats?filter=process_ratelimit'))?.[1]);
  expect(await leftOut()).toBe(0);
  const begin = performance.now();
  for (let n = 0; n < FLOOD; n++) await world.ask('rules', '/denied', { headers: { 'x-flood': 'yes' } });
  // A budget of 100 at once and 10 a second, of which some may be spent.
  const most = 100 + 10 * Math.ceil((performance.now() - begin) / 1000 + 1);
  await until(async () => (await counts())[rules] === before + FLOOD);
  expect((await counts())[rules]).toBe(before + FLOOD);
  const written = FLOOD - (await leftOut());
  expect(written).toBeGreaterThan(50);
  expect(written).toBeLessThanOrEqual(Math.min(most, FLOOD));
  const ofFlood = () =>
    world.logLines().filter(({ path, source_principal: who }) => path === '/denied' && who === null).length;
  await until(async () => ofFlood() >= written);
  expect(ofFlood()).toBeLessThan(most + 10);
}, 180_000);
