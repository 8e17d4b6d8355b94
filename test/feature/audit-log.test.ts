import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CustomWorld } from './support/custom-world.ts';

/** What a real sidecar writes of requests and connections that AUDIT policies match; they decide nothing. */

const UI = 'cluster.local/ns/shop/sa/ui';
const ORDERING = 'cluster.local/ns/shop/sa/ordering';
const paths = (...paths: string[]) => ({ rules: [{ to: [{ operation: { paths } }] }] });
const audit = (...of: string[]) => ({ action: 'AUDIT' as const, ...paths(...of) });
const ofUi = { action: 'AUDIT' as const, rules: [{ from: [{ source: { principals: [UI] } }] }] };
const world = new CustomWorld([], {
  one: { policies: [audit('/seen', '/denied'), { action: 'DENY' as const, ...paths('/denied') }] },
  two: { policies: [audit('/a'), audit('/b')] },
  bytes: { protocol: 'tcp', policies: [ofUi] },
});

beforeAll(() => world.start({}, [UI, ORDERING]), 60_000);
afterAll(() => world.stop());

const audited = (field: string, value: string): Promise<Record<string, unknown>> =>
  world.logLine(
    `${value} in ${field}`,
    (line) => line.audited_by !== undefined && String(line[field]).startsWith(value),
  );

test('a request that one matches is told with the policy, and what became of it', async () => {
  expect((await world.ask('one', '/seen?token=1', { principal: UI })).status).toBe(200);
  expect(await audited('path', '/seen')).toMatchObject({
    audited_by: 'AuthorizationPolicy AUDIT shop/one',
    path: '/seen',
    method: 'GET',
    response_code: 200,
    source_principal: `spiffe://${UI}`,
  });
  expect((await world.ask('one', '/denied')).status).toBe(403);
  expect(await audited('path', '/denied')).toMatchObject({
    response_code: 403,
    details: expect.stringContaining('shop]-policy[one-1]'),
  });
}, 90_000);

test('of several all are named, as Envoy does not tell which', async () => {
  await world.ask('two', '/b');
  expect((await audited('path', '/b')).audited_by).toBe('AuthorizationPolicy AUDIT shop/two, shop/two-1');
}, 90_000);

test('a connection is told of when it ends; what none matches is not told of', async () => {
  expect((await world.ask('one', '/other')).status).toBe(200);
  expect(await world.say('bytes', ORDERING)).toContain('heard');
  expect(await world.say('bytes', UI)).toContain('heard');
  expect(await audited('audited_by', 'AuthorizationPolicy AUDIT shop/bytes')).toMatchObject({
    source_principal: `spiffe://${UI}`,
  });
  expect(
    world.logLines().filter(({ path, source_principal: who }) => path === '/other' || who === `spiffe://${ORDERING}`),
  ).toEqual([]);
}, 90_000);
