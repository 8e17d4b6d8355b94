import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { freePort } from './support/free-port.ts';
import { startGrpcEcho, streamMessages } from './support/grpc-echo.ts';
import { call } from './support/http-call.ts';
import { type NamedServer, startNamedServer } from './support/outbound-envoy.ts';
import { type ReleasedPort, releasedService, releaseOf, sideService } from './support/released-service.ts';
import { addressOf, type Loading, SidecarOnStream } from './support/sidecar-on-stream.ts';

/** Where requests for the address of one side of a Canary go by a real Envoy, from before the first request of a release to after its end. */
jest.setTimeout(90_000);

let sidecar: SidecarOnStream;
let backends: readonly EchoBackend[];
let grpc: readonly Awaited<ReturnType<typeof startGrpcEcho>>[];
let servers: readonly NamedServer[];
let ports: { http: ReleasedPort; grpc: ReleasedPort; tcp: ReleasedPort };

const behind = (pair: readonly { readonly port: number }[]) => ({
  stable: pair[0]?.port ?? 0,
  next: pair[1]?.port ?? 0,
});

async function start(loading: Loading): Promise<void> {
  backends = [await startEchoBackend('r1'), await startEchoBackend('r2')];
  grpc = [await startGrpcEcho(), await startGrpcEcho()];
  servers = [await startNamedServer('r1'), await startNamedServer('r2')];
  ports = {
    http: { name: 'http', port: await freePort(), ...behind(backends) },
    grpc: { name: 'grpc', port: await freePort(), ...behind(grpc) },
    tcp: { name: 'tcp', port: await freePort(), ...behind(servers) },
  };
  sidecar = new SidecarOnStream({ loading, ports: Object.values(ports).map(({ port }) => port) });
  await sidecar.start([
    ...releasedService('web', 1, ports.http),
    ...sideService('web', 'canary', 2, ports.http),
    ...sideService('web', 'stable', 3, ports.http),
    ...releasedService('api', 4, ports.grpc),
    ...sideService('api', 'canary', 5, ports.grpc),
    ...releasedService('db', 6, ports.tcp),
    ...sideService('db', 'canary', 7, ports.tcp),
    ...sideService('db', 'stable', 8, ports.tcp),
    ...['web', 'api', 'db'].map((name) => releaseOf(name, BY_WEIGHT, AT_REST)),
  ]);
}

async function stop(): Promise<void> {
  await sidecar?.stop();
  for (const one of [...(backends ?? []), ...(grpc ?? []), ...(servers ?? [])]) one.close();
}

const BY_WEIGHT = { stepWeight: 10 };
const AT_REST: CanaryStatus = { canaryRevision: '' };
const FAILED: CanaryStatus = { weight: 0, failedRevision: 'r2' };
const PROMOTED: CanaryStatus = { stableRevision: 'r2', ungatedRevisions: ['r2'], canaryRevision: '' };

const release = (name: string, status: CanaryStatus, analysis: object = BY_WEIGHT): void =>
  sidecar.mesh.put(releaseOf(name, analysis, status));

/** Who answers one request for a host of the Service `web`; else what went wrong. */
async function web(host: 'web-canary' | 'web-stable', headers: Record<string, string> = {}): Promise<string> {
  const address = addressOf(host === 'web-canary' ? 2 : 3);
  const answer = await call({ host: address, port: ports.http.port, path: '/', headers: { host, ...headers } });
  expect(answer.headers['set-cookie']).toBeUndefined();
  return answer.status === 200 ? String(answer.headers['x-from']) : String(answer.status);
}

/** Who answers one connection to an address of the Service `db`. */
async function db(number: number): Promise<string> {
  const socket = connect(ports.tcp.port, addressOf(number));
  let text = '';
  socket.on('data', (data) => {
    text += data.toString();
  });
  await once(socket, 'close');
  return text.slice(-2);
}

const many = (one: () => Promise<string>): Promise<string[]> => Promise.all(Array.from({ length: 20 }, one));
const isAll = (answers: readonly string[], expected: string): boolean => answers.every((from) => from === expected);

/** Waits until nobody but one side answers, and asks on. */
async function expectAll(one: () => Promise<string>, expected: string): Promise<void> {
  await sidecar.until(async () => isAll(await many(one), expected));
  expect(new Set([...(await many(one)), ...(await many(one))])).toEqual(new Set([expected]));
}

/** Begins to ask, one request after the other; once the first is answered gives what ends it, which gives all who answered. */
async function load(one: () => Promise<string>): Promise<() => Promise<string[]>> {
  const answers: string[] = [await one()];
  let ended = false;
  const work = async (): Promise<void> => {
    while (!ended) answers.push(await one());
  };
  const workers = Promise.all([work(), work()]);
  return async () => {
    ended = true;
    await workers;
    return answers;
  };
}

const AFFINITY = { stepWeight: 10, sessionAffinity: { cookieName: 'seen' } };
const MATCHED = { iterations: 5, match: [{ headers: { 'x-beta': { exact: 'yes' } } }] };
/** How a release stands, by what strategy, and with what of a request it would go by elsewhere. */
const STANDS: readonly [string, CanaryStatus, object, Record<string, string>][] = [
  ['before its first request', {}, BY_WEIGHT, {}],
  ['at a weight, with cookies', { weight: 5 }, AFFINITY, { cookie: 'seen=r2' }],
  ['at most of the weight', { weight: 95 }, BY_WEIGHT, {}],
  ['at a weight, by users', { weight: 50 }, { stepWeight: 10, stickiness: { header: 'x-user' } }, { 'x-user': 'a' }],
  ['by what matches', { matched: true }, MATCHED, { 'x-beta': 'yes' }],
  ['by copies', { mirrorWeight: 100 }, { iterations: 5, mirror: true, mirrorWeight: 100 }, {}],
];

describe.each<Loading>(['eager', 'on-demand'])('with clusters loaded %s', (loading) => {
  beforeAll(() => start(loading));
  afterAll(stop);

  test('while nothing is released both addresses are the stable revision', async () => {
    await expectAll(() => web('web-canary'), 'r1');
    await expectAll(() => web('web-stable'), 'r1');
    await expectAll(() => db(7), 'r1');
  });

  test.each(STANDS)('%s each address is its side', async (_, status, analysis, headers) => {
    release('web', status, analysis);
    await expectAll(() => web('web-canary'), 'r2');
    await expectAll(() => web('web-canary', headers), 'r2');
    await expectAll(() => web('web-stable'), 'r1');
    await expectAll(() => web('web-stable', headers), 'r1');
  });

  test('they stay, and nothing is lost, while the weight moves', async () => {
    release('web', {});
    await expectAll(() => web('web-canary'), 'r2');
    const [fresh, old] = [await load(() => web('web-canary')), await load(() => web('web-stable'))];
    for (const weight of [5, 50, 100, 20]) {
      release('web', { weight });
      await sidecar.until(async () => {
        const from = await many(async () =>
          String(
            (await call({ host: addressOf(1), port: ports.http.port, path: '/', headers: { host: 'web' } })).headers[
              'x-from'
            ],
          ),
        );
        return weight === 100 ? isAll(from, 'r2') : from.includes('r1');
      });
    }
    expect(new Set(await fresh())).toEqual(new Set(['r2']));
    expect(new Set(await old())).toEqual(new Set(['r1']));
  });

  test('a revision that fails is left for good, and no request is lost', async () => {
    release('web', { weight: 20 }, AFFINITY);
    await expectAll(() => web('web-canary'), 'r2');
    const end = await load(() => web('web-canary', { cookie: 'seen=r2' }));
    release('web', FAILED, AFFINITY);
    await expectAll(() => web('web-canary', { cookie: 'seen=r2' }), 'r1');
    expect(new Set(await end())).toEqual(new Set(['r2', 'r1']));
    for (const one of backends) one.forget();
    await expectAll(() => web('web-canary'), 'r1');
    expect(backends[1]?.seen).toEqual([]);
  });

  test('gRPC and TCP follow likewise, before the first request and after a failure', async () => {
    const say = async (): Promise<string> => {
      const before = grpc.map(({ calls }) => calls());
      await streamMessages(addressOf(5), ports.grpc.port, 'api-canary', ['hello']);
      const [old = 0, fresh = 0] = grpc.map(({ calls }, at) => calls() - (before[at] ?? 0));
      return `${old} ${fresh}`;
    };
    release('api', {});
    release('db', {});
    await sidecar.until(async () => (await say()) === '0 1');
    await expectAll(() => db(7), 'r2');
    await expectAll(() => db(8), 'r1');
    release('api', FAILED);
    release('db', FAILED);
    await sidecar.until(async () => (await say()) === '1 0');
    await expectAll(() => db(7), 'r1');
  });

  test('what is promoted is the stable revision', async () => {
    sidecar.mesh.put(
      ...releasedService('web', 1, ports.http, false),
      ...sideService('web', 'canary', 2, ports.http, false),
      ...sideService('web', 'stable', 3, ports.http, false),
      releaseOf('web', BY_WEIGHT, PROMOTED),
    );
    await expectAll(() => web('web-canary'), 'r2');
    await expectAll(() => web('web-stable'), 'r2');
  });
});
