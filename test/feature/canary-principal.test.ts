import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { freePort } from './support/free-port.ts';
import { call } from './support/http-call.ts';
import { type NamedServer, startNamedServer } from './support/outbound-envoy.ts';
import { releasedService, releaseOf } from './support/released-service.ts';
import { addressOf, SidecarOnStream } from './support/sidecar-on-stream.ts';

/** What real Envoys of several identities are sent of a release that goes by who calls. */
jest.setTimeout(90_000);

/** ServiceAccounts, and where they stand: each is on the new revision at a weight above that. */
const CALLERS = { batch: 5, default: 39, b: 95 } as const;
const analysis = { stepWeight: 10, stickiness: { principal: true } };

interface Caller {
  readonly position: number;
  readonly http: number;
  readonly tcp: number;
  readonly sidecar: SidecarOnStream;
}

let backends: readonly EchoBackend[];
let servers: readonly NamedServer[];
let callers: readonly Caller[];

beforeAll(async () => {
  backends = [await startEchoBackend('r1'), await startEchoBackend('r2')];
  servers = [await startNamedServer('r1'), await startNamedServer('r2')];
  callers = await Promise.all(
    Object.entries(CALLERS).map(async ([account, position]) => {
      const [http, tcp] = [await freePort(), await freePort()];
      return { position, http, tcp, sidecar: new SidecarOnStream({ loading: 'eager', ports: [http, tcp], account }) };
    }),
  );
  const behind = (pair: readonly { readonly port: number }[]) => ({
    stable: pair[0]?.port ?? 0,
    next: pair[1]?.port ?? 0,
  });
  for (const { sidecar, http, tcp } of callers) {
    await sidecar.start([
      ...releasedService('web', 1, { name: 'http', port: http, ...behind(backends) }),
      ...releasedService('db', 3, { name: 'tcp', port: tcp, ...behind(servers) }),
    ]);
  }
});
afterAll(async () => {
  for (const { sidecar } of callers ?? []) await sidecar.stop();
  for (const one of [...(backends ?? []), ...(servers ?? [])]) one.close();
});

async function ask({ http }: Caller): Promise<string> {
  const { headers, status } = await call({ host: addressOf(1), port: http, path: '/', headers: { host: 'web' } });
  return status === 200 ? String(headers['x-from']) : String(status);
}

async function dial({ tcp }: Caller): Promise<string> {
  const socket = connect(tcp, addressOf(3));
  let text = '';
  socket.on('data', (data) => {
    text += data.toString();
  });
  await once(socket, 'close');
  return text.slice(-2);
}

test('each caller is on one side with all that it sends, and none falls back as the weight grows', async () => {
  for (const weight of [5, 6, 30, 40, 75, 100]) {
    for (const caller of callers) {
      for (const name of ['web', 'db']) caller.sidecar.mesh.put(releaseOf(name, analysis, { weight }));
      const side = caller.position < weight ? 'r2' : 'r1';
      await caller.sidecar.until(async () => (await ask(caller)) === side && (await dial(caller)) === side);
      for (let round = 0; round < 20; round++) expect([await ask(caller), await dial(caller)]).toEqual([side, side]);
    }
  }
});

test('a revision that is given up gets nobody', async () => {
  for (const caller of callers) {
    for (const name of ['web', 'db']) caller.sidecar.mesh.put(releaseOf(name, analysis, { weight: 0 }));
    await caller.sidecar.until(async () => (await ask(caller)) === 'r1' && (await dial(caller)) === 'r1');
    for (let round = 0; round < 20; round++) expect([await ask(caller), await dial(caller)]).toEqual(['r1', 'r1']);
  }
});
