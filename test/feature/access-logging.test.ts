import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { extensionProviders } from '../../api/extension-provider.ts';
import type { TelemetrySpec } from '../../api/telemetry.ts';
import { telemetry } from '../../operator/mesh/testing/objects.ts';
import { PeerWorld } from './support/peer-world.ts';

/** What real sidecars write of the requests that a Telemetry says are logged. */

const PROVIDERS = [
  {
    name: 'json',
    envoyFileAccessLog: {
      path: '/dev/stdout',
      logFormat: { labels: { path: '%REQ(:PATH)%', status: '%RESPONSE_CODE%', secret: '%REQ(x-secret)%' } },
    },
  },
  {
    name: 'text',
    envoyFileAccessLog: { path: '/dev/stderr', logFormat: { text: 'TEXT %REQ(:PATH)% %RESPONSE_CODE%' } },
  },
];
let world: PeerWorld;

beforeAll(async () => {
  world = await PeerWorld.start({ extensionProviders: extensionProviders.parse(PROVIDERS) });
}, 60_000);
afterAll(() => world.stop());

const say = (accessLogging: TelemetrySpec['accessLogging']) =>
  world.put({ kind: 'Telemetry', object: telemetry('shop/logs', { accessLogging }) });

/** Envoy writes its logs some time after the answer. */
async function written(envoy: 'client' | 'server', pattern: RegExp): Promise<string> {
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    const line = world[envoy]
      .log()
      .split('\n')
      .find((one) => pattern.test(one));
    if (line !== undefined) return line;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no line matches ${pattern}: ${world[envoy].log()}`);
}

const has = (envoy: 'client' | 'server', text: string): boolean => world[envoy].log().includes(text);

test('without a Telemetry nothing is written', async () => {
  expect((await world.call('http', '/unlogged')).status).toBe(200);
  await say([{ providers: [{ name: 'envoy' }] }]);
  expect((await world.call('http', '/first')).status).toBe(200);
  for (const envoy of ['client', 'server'] as const) {
    expect(await written(envoy, /\/first/)).toMatch(/^\[.*\] "GET \/first HTTP\/1.1" 200 - via_upstream - "-" /);
    expect(has(envoy, '/unlogged')).toBe(false);
  }
}, 90_000);

test('each side is logged as is said of it, in text and in JSON', async () => {
  await say([
    { match: { mode: 'CLIENT' }, providers: [{ name: 'json' }] },
    { match: { mode: 'SERVER' }, providers: [{ name: 'text' }] },
  ]);
  await world.call('http', '/sides');
  expect(JSON.parse(await written('client', /"path":"\/sides"/))).toEqual({
    path: '/sides',
    status: 200,
    secret: 'sides',
  });
  expect(await written('server', /\/sides/)).toBe('TEXT /sides 200');
  expect(has('client', 'TEXT /sides')).toBe(false);
}, 90_000);

test('a filter decides what is written, and logging may be disabled', async () => {
  const filter = { expression: "response.code >= 400 || request.url_path.startsWith('/kept')" };
  await say([{ providers: [{ name: 'json' }], filter }]);
  await world.call('http', '/left-out');
  await world.call('http', '/kept-first');
  await written('server', /kept-first/);
  await written('client', /kept-first/);
  for (const envoy of ['client', 'server'] as const) expect(has(envoy, '/left-out')).toBe(false);
  await say([{ disabled: true }]);
  await world.call('http', '/kept-quiet');
  await say([{ providers: [{ name: 'json' }] }]);
  await world.call('http', '/last');
  await written('server', /\/last/);
  await written('client', /\/last/);
  for (const envoy of ['client', 'server'] as const) expect(has(envoy, '/kept-quiet')).toBe(false);
}, 90_000);

test('connections that are not HTTP are logged when they end', async () => {
  await say([{ providers: [{ name: 'envoy' }] }]);
  await world.call('tcp', '/bytes');
  expect(await written('server', /"- - -" 0 /)).toMatch(/inbound\|/);
}, 90_000);

test('an expression that Envoy would refuse is not in force and says so, and listeners go on', async () => {
  await say([{ providers: [{ name: 'envoy' }], filter: { expression: 'response.code >= ' } }]);
  const view = world.snapshot.policies.get('Telemetry/shop/logs');
  expect(view?.problems).toMatchObject([{ condition: 'Accepted', reason: 'Invalid' }]);
  expect(view?.problems[0]?.message).toMatch(
    /spec\.accessLogging\[0\]\.filter\.expression: must be an expression in CEL/,
  );
  expect((await world.call('http', '/after')).status).toBe(200);
}, 90_000);
