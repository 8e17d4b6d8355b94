import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CustomWorld } from './support/custom-world.ts';
import { freePort } from './support/free-port.ts';
import { HttpAuthorizer } from './support/http-authorizer.ts';

/** What a real sidecar writes of what policies refuse. */

const UI = 'cluster.local/ns/shop/sa/ui';
const authorizer = new HttpAuthorizer();
const denied = { action: 'DENY' as const, rules: [{ to: [{ operation: { paths: ['/denied'] } }] }] };
const get = { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] };
const world = new CustomWorld(
  [
    {
      name: 'login',
      envoyExtAuthzHttp: { service: 'auth/login.example.com', port: 9000, includeRequestHeadersInCheck: ['x-verdict'] },
    },
  ],
  {
    rules: { policies: [denied, get] },
    asking: { policies: [{ action: 'CUSTOM' as const, provider: { name: 'login' }, rules: [{}] }] },
    bytes: {
      protocol: 'tcp',
      policies: [{ action: 'DENY' as const, rules: [{ from: [{ source: { principals: [UI] } }] }] }],
    },
  },
);

beforeAll(async () => {
  const port = await authorizer.start();
  await world.start({ 'login.example.com': port, 'down.example.com': await freePort() }, [UI]);
}, 60_000);
afterAll(async () => {
  await world.stop();
  authorizer.stop();
});

const lines = (): Record<string, unknown>[] =>
  world
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line));

/** Envoy writes its logs some time after the answer. */
async function written(field: string, value: string): Promise<Record<string, unknown>> {
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    const line = lines().find((one) => String(one[field]).includes(value));
    if (line !== undefined) return line;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no line has ${value} in ${field}: ${world.log()}`);
}

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
  expect(line.decided_by).toMatch(/^AuthorizationPolicy DENY shop\/rules$/);
  expect(lines().map(({ path }) => path)).not.toContain('/fine');
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
