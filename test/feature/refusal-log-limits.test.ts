import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NO_KEYS } from '../../api/jwk-set.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import type { ObjectRef } from '../../operator/mesh/object-ref.ts';
import { MemoryCounters } from '../../operator/ratelimit/memory-counters.ts';
import { RateLimitWorld } from './support/rate-limit-world.ts';
import { refusalCounts } from './support/refusal-counts.ts';

/** What a real sidecar writes, and tells the operator, of requests and connections over a limit, and of tokens that are not valid. */

const oneADay = (scope: 'Local' | 'Global') => ({ limits: [{ scope, requests: 1, unit: 'Day' as const }] });
const UI = 'cluster.local/ns/shop/sa/ui';
let world: RateLimitWorld;
const echo = createServer((socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});

beforeAll(async () => {
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port: tcpPort } = echo.address() as AddressInfo;
  const services = {
    own: { policy: oneADay('Local') },
    all: { policy: oneADay('Global') },
    users: {
      policy: { limits: [{ requests: 1000, unit: 'Second' as const }] },
      jwtRules: [{ issuer: 'https://id.example', jwks: NO_KEYS }],
    },
    few: { policy: { connections: { max: 1, perSecond: 1000 } }, tcpPort },
    pages: { policy: { connections: { max: 1 } } },
    many: { policy: { connections: { max: 1000, perSecond: 1000 } } },
  };
  world = await RateLimitWorld.start(services, new MemoryCounters(), { principals: [UI] });
}, 60_000);
afterAll(async () => {
  await world?.stop();
  echo.close();
});

test.each([
  ['own', { path: '/own' }, 429, 'RateLimitPolicy shop/own'],
  ['all', { path: '/all' }, 429, 'RateLimitPolicy shop/all'],
  ['users', { path: '/users', headers: { authorization: 'Bearer a.b.c' } }, 401, 'RequestAuthentication shop/users'],
])(
  '%s is named, and counted',
  async (name, question, status, decidedBy) => {
    expect(await world.statuses(2, name, question)).toContain(status);
    const line = `"decided_by":"${decidedBy}"`;
    await waitUntil(`a line with ${line}`, async () => (world.log().includes(line) ? undefined : world.log()));
    const [kind = '', namespace = '', policy = ''] = decidedBy.split(/[ /]/);
    await untilTold({ kind, namespace, name: policy }, status === 401 ? 2 : 1);
  },
  90_000,
);

/** Waits until the operator was told of so many, and all of them this policy's. */
async function untilTold(policy: ObjectRef, refused: number): Promise<void> {
  const { ledger } = world;
  const told = () => ledger.refused(policy, ledger.startedAt, Date.now());
  await waitUntil(`the operator to be told of ${policy.name}`, async () =>
    told().refused === refused ? undefined : `${JSON.stringify(told())}; ${world.log()}`,
  );
  expect(told()).toEqual({ refused, shared: 0 });
}

/** Opens a connection that gets an answer, and holds it. */
async function hold(name: string, principal?: string): Promise<Socket> {
  const socket = await world.connect(name, principal === undefined ? {} : { principal });
  socket.write('GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n');
  await once(socket, 'data');
  return socket;
}

test.each(['few', 'pages'])(
  'a connection over the limit of %s is told with its policy, and counted',
  async (name) => {
    // Each kind of connection has a limit of its own.
    const held = [await hold(name), await hold(name, UI)];
    await expect(hold(name)).rejects.toThrow();
    await expect(hold(name, UI)).rejects.toThrow();
    await untilTold({ kind: 'RateLimitPolicy', namespace: 'shop', name }, 2);
    const counts = refusalCounts(await world.admin('/stats/prometheus'));
    expect(counts[`RateLimitPolicy shop/${name} connection_limit of 1`]).toBe(2);
    const decided = `"decided_by":"RateLimitPolicy shop/${name}"`;
    const lines = () =>
      world
        .log()
        .split('\n')
        .filter((line) => line.includes(decided));
    await waitUntil(`two lines with ${decided}`, async () => (lines().length >= 2 ? undefined : world.log()));
    for (const socket of held) socket.destroy();
    expect(lines().map((line) => JSON.parse(line).details)).toEqual(['over_connection_limit', 'over_connection_limit']);
  },
  90_000,
);

test('connections below a limit are not told of, nor are those without one', async () => {
  const seen = world.log().split('decided_by').length;
  for (const name of ['many', 'many', 'users']) {
    const socket = await hold(name, UI);
    socket.destroy();
    await once(socket, 'close');
  }
  // The next one is over a limit; what came before it would be written by then.
  const first = await hold('few');
  await expect(hold('few')).rejects.toThrow();
  await waitUntil('another line', async () =>
    world.log().split('decided_by').length > seen ? undefined : world.log(),
  );
  first.destroy();
  expect(world.log()).not.toContain('RateLimitPolicy shop/many');
  expect(world.log().split('decided_by').length).toBe(seen + 1);
}, 90_000);
