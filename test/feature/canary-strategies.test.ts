import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { credibleRange } from './support/binomial.ts';
import { type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { freePort } from './support/free-port.ts';
import { startGrpcEcho, streamMessages } from './support/grpc-echo.ts';
import { type Answer, call } from './support/http-call.ts';
import { type NamedServer, startNamedServer } from './support/outbound-envoy.ts';
import { releasedService, releaseOf } from './support/released-service.ts';
import { addressOf, SidecarOnStream } from './support/sidecar-on-stream.ts';

/**
 * What a release gets of the requests of a real Envoy, by every strategy there is. The Canaries are as their controller leaves them; that it does so is for
 * its own tests to show. Counts are held to ranges outside of which chance leads less than once in a billion runs.
 */
jest.setTimeout(90_000);

const MATCHED = {
  iterations: 5,
  match: [
    { headers: { 'x-beta': { regex: 'yes|on' } }, withoutHeaders: { 'x-robot': {} } },
    { cookies: { beta: { exact: '1' } } },
    { queryParams: { beta: { prefix: 'y' } } },
    { headers: { 'x-batch': {} }, sourceLabels: { app: 'batch' } },
  ],
};

let sidecar: SidecarOnStream;
let [httpPort, grpcPort, tcpPort] = [0, 0, 0];
let backends: readonly EchoBackend[];
let grpc: readonly Awaited<ReturnType<typeof startGrpcEcho>>[];
let servers: readonly NamedServer[];

beforeAll(async () => {
  [httpPort, grpcPort, tcpPort] = [await freePort(), await freePort(), await freePort()];
  backends = [await startEchoBackend('r1'), await startEchoBackend('r2')];
  grpc = [await startGrpcEcho(), await startGrpcEcho()];
  servers = [await startNamedServer('r1'), await startNamedServer('r2')];
  sidecar = new SidecarOnStream({ loading: 'eager', ports: [httpPort, grpcPort, tcpPort] });
  await sidecar.start([
    ...web(),
    ...releasedService('api', 2, { name: 'grpc', port: grpcPort, ...behind(grpc) }),
    ...releasedService('db', 3, { name: 'tcp', port: tcpPort, ...behind(servers) }),
  ]);
});
afterAll(async () => {
  await sidecar?.stop();
  for (const one of [...(backends ?? []), ...(grpc ?? []), ...(servers ?? [])]) one.close();
});
beforeEach(() => {
  for (const one of backends) one.forget();
});

const behind = (pair: readonly { readonly port: number }[]) => ({
  stable: pair[0]?.port ?? 0,
  next: pair[1]?.port ?? 0,
});

/** The HTTP service. @param gated whether the pod of `r2` is held */
const web = (gated = true): MeshObject[] =>
  releasedService('web', 1, { name: 'http', port: httpPort, ...behind(backends) }, gated);

/**
 * Puts a release into the mesh, and waits until Envoy has it.
 * @param others that change with it: what changes before it would be taken for it
 */
async function release(
  name: string,
  analysis: object,
  status: CanaryStatus,
  others: readonly MeshObject[] = [],
): Promise<void> {
  const { version } = await versions();
  sidecar.mesh.put(...others, releaseOf(name, analysis, status));
  // Every change of a release is one of what Envoy has, be it routes or, of TCP, listeners.
  await sidecar.until(async () => (await versions()).version !== version);
}

async function versions(): Promise<{ version: string }> {
  const dumps = ['dynamic_route_configs', 'dynamic_listeners'].map((one) =>
    sidecar.envoy.admin(`/config_dump?resource=${one}`),
  );
  const text = (await Promise.all(dumps)).join().replace(/"(last_updated|version_info)": "[^"]*"/g, '');
  return { version: text };
}

const ask = (headers: Record<string, string> = {}, path = '/'): Promise<Answer> =>
  call({ host: addressOf(1), port: httpPort, path, headers: { host: 'web', ...headers } });

const fromOf = ({ headers, status }: Answer): string => (status === 200 ? String(headers['x-from']) : String(status));

/** How many of some answers came from whom. */
async function tally(count: number, one: (index: number) => Promise<string>): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const from = await one(next++);
      found[from] = (found[from] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return found;
}

function expectShare(count: number | undefined, tries: number, percent: number): void {
  const { least, most } = credibleRange(tries, percent / 100);
  expect(count ?? 0).toBeGreaterThanOrEqual(least);
  expect(count ?? 0).toBeLessThanOrEqual(most);
}

describe('an A/B test', () => {
  beforeAll(() => release('web', MATCHED, { matched: true }));

  test.each<[string, Record<string, string>, string, string]>([
    ['a header', { 'x-beta': 'yes' }, '/', 'r2'],
    ['another value of the header', { 'x-beta': 'yes, maybe' }, '/', 'r1'],
    ['a header that must not be there', { 'x-beta': 'yes', 'x-robot': 'true' }, '/', 'r1'],
    ['a cookie among others', { cookie: 'a=b; beta=1; c=d' }, '/', 'r2'],
    ['a cookie whose name ends like it', { cookie: 'alphabeta=1' }, '/', 'r1'],
    ['another value of the cookie', { cookie: 'beta=12' }, '/', 'r1'],
    ['a query parameter', {}, '/?a=b&beta=yes', 'r2'],
    ['a match for other callers', { 'x-batch': '1' }, '/', 'r1'],
    ['nothing', {}, '/', 'r1'],
  ])('sends requests with %s where they belong', async (_, headers, path, expected) => {
    expect(await tally(40, async () => fromOf(await ask(headers, path)))).toEqual({ [expected]: 40 });
  });

  test('that fails gets nothing', async () => {
    await release('web', MATCHED, { weight: 0 });
    expect(await tally(100, async () => fromOf(await ask({ 'x-beta': 'yes' })))).toEqual({ r1: 100 });
  });
});

test('copies go to the new revision, and answers come from the stable one', async () => {
  await release('web', { iterations: 5, mirror: true, mirrorWeight: 40 }, { mirrorWeight: 40 });
  expect(await tally(1000, async () => fromOf(await ask()))).toEqual({ r1: 1000 });
  const seen = () => backends[1]?.seen.length ?? 0;
  // Nobody waits for copies, so the last may come a little later; with 40 % there are some at least.
  const { least } = credibleRange(1000, 0.4);
  await sidecar.until(async () => seen() >= least);
  expectShare(seen(), 1000, 40);
  // A copy that never answers holds up nothing.
  const slow = await Promise.all(Array.from({ length: 20 }, () => ask({}, '/?failing=r2')));
  expect(slow.map(({ status }) => status)).toEqual(slow.map(() => 200));
});

describe('session affinity', () => {
  const AFFINITY = { stepWeight: 10, sessionAffinity: { cookieName: 'seen', maxAge: 600, httpOnly: true } };
  const WEIGHTS = [10, 30, 60, 90];

  test('keeps whom the new revision answered on it while the weight moves, through thousands of requests', async () => {
    const jars = Array.from({ length: 120 }, () => '');
    const flips: string[] = [];
    let requests = 0;
    const browse = async (user: number): Promise<void> => {
      const had = jars[user] ?? '';
      const answer = await ask(had === '' ? {} : { cookie: `other=1; ${had}` });
      requests++;
      const from = fromOf(answer);
      if (had !== '' && from !== 'r2') flips.push(`${had} was answered by ${from}`);
      const [cookie] = answer.headers['set-cookie'] ?? [];
      // Whom the old revision answered is given none, and who has one no other.
      expect(cookie !== undefined).toBe(from === 'r2' && had === '');
      if (cookie === undefined) return;
      expect(cookie).toBe('seen=r2; Max-Age=600; Path=/; HttpOnly');
      jars[user] = cookie.split(';')[0] ?? '';
    };
    await release('web', AFFINITY, { weight: 5 });
    let before = 0;
    for (const weight of WEIGHTS) {
      // Users come while the weight moves, and after it has.
      let moved = false;
      const load = (async () => {
        while (!moved) await Promise.all(jars.map((_, user) => browse(user)));
      })();
      await release('web', AFFINITY, { weight });
      moved = true;
      await load;
      for (let round = 0; round < 4; round++) await Promise.all(jars.map((_, user) => browse(user)));
      const now = jars.filter((jar) => jar !== '').length;
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
    expect(flips).toEqual([]);
    expect(requests).toBeGreaterThanOrEqual(1900);
    // Down, as when pods are lost: who is there stays.
    await release('web', AFFINITY, { weight: 20 });
    for (let round = 0; round < 2; round++) await Promise.all(jars.map((_, user) => browse(user)));
    expect(flips).toEqual([]);
  });

  test('is over at once when the revision fails, and has no meaning once it is promoted', async () => {
    const cookie = { cookie: 'seen=r2' };
    await release('web', AFFINITY, { weight: 0 });
    expect(await tally(100, async () => fromOf(await ask(cookie)))).toEqual({ r1: 100 });
    await release('web', AFFINITY, { stableRevision: 'r2', ungatedRevisions: ['r2'], canaryRevision: '' });
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(cookie)));
    expect(answers.map(({ headers }) => headers['set-cookie'])).toEqual(answers.map(() => undefined));
    // The next release goes by cookies of its own.
    const next = { stableRevision: 'r2', canaryRevision: 'r1', ungatedRevisions: ['r2'], weight: 50 };
    await release('web', AFFINITY, next, web(false));
    expectShare((await tally(400, async () => fromOf(await ask(cookie)))).r1, 400, 50);
  });

  test('with a cookie for the stable revision, too, moves nobody who has either', async () => {
    const both = { stepWeight: 10, sessionAffinity: { cookieName: 'seen', primaryCookieName: 'seen-not' } };
    await release('web', both, { weight: 50 }, web());
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask()));
    const cookies = answers.map((one) => ({
      from: fromOf(one),
      cookie: one.headers['set-cookie']?.[0]?.split(';')[0],
    }));
    expect(new Set(cookies.map(({ from, cookie }) => `${from} ${cookie}`))).toEqual(
      new Set(['r1 seen-not=r1.r2', 'r2 seen=r2']),
    );
    await release('web', both, { weight: 99 });
    for (const { from, cookie = '' } of cookies) expect(fromOf(await ask({ cookie }))).toBe(from);
  });
});

describe('stickiness', () => {
  test.each<[string, object, (user: number) => Record<string, string>]>([
    ['a header', { header: 'X-User' }, (user) => ({ 'x-user': `user-${user}` })],
    ['a cookie', { cookie: 'user' }, (user) => ({ cookie: `user=u${user}` })],
  ])('by %s has each user on one side, and nobody falls back as the weight grows', async (_, stickiness, headersOf) => {
    const users = Array.from({ length: 400 }, (_, user) => user);
    const analysis = { stepWeight: 10, stickiness };
    let before = new Set<number>();
    for (const weight of [7, 30, 31, 75]) {
      await release('web', analysis, { weight });
      const now = new Set<number>();
      for (let round = 0; round < 2; round++) {
        const answers = await Promise.all(users.map(async (user) => fromOf(await ask(headersOf(user)))));
        for (const [user, from] of answers.entries()) {
          if (from === 'r2') now.add(user);
          // In the second round nobody is elsewhere than in the first.
          else expect(now).not.toContain(user);
        }
      }
      for (const user of before) expect(now).toContain(user);
      expectShare(now.size, users.length, weight);
      before = now;
    }
    // Who says nothing of it falls by chance.
    expectShare((await tally(400, async () => fromOf(await ask()))).r2, 400, 75);
  });
});

test('gRPC goes by weight', async () => {
  await release('api', { stepWeight: 10 }, { weight: 30 });
  const before = grpc.map(({ calls }) => calls());
  await tally(200, async () => (await streamMessages(addressOf(2), grpcPort, 'api', ['hello'])).join());
  const [old = 0, fresh = 0] = grpc.map(({ calls }, index) => calls() - (before[index] ?? 0));
  expect(old + fresh).toBe(200);
  expectShare(fresh, 200, 30);
});

test('TCP goes by weight', async () => {
  await release('db', { stepWeight: 10 }, { weight: 30 });
  const dial = async (): Promise<string> => {
    const socket = connect(tcpPort, addressOf(3));
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
    });
    await once(socket, 'close');
    // Behind a head that is that of HTTP, too.
    return text.slice(-2);
  };
  const found = await tally(300, dial);
  expect(Object.keys(found).sort()).toEqual(['r1', 'r2']);
  expectShare(found.r2, 300, 30);
});
