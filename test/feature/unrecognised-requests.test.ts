import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { authorizationPolicy, rateLimitPolicy, requestAuthentication } from '../../operator/mesh/testing/objects.ts';
import { MESH_ALPN } from '../../proxy/names.ts';
import { connectAs, Http1Line } from './support/mesh-callers.ts';
import { PeerWorld, type PortName, PRINCIPAL } from './support/peer-world.ts';

/** Requests over connections that a real sidecar takes for bytes of some other protocol. */

const LOOPBACK = { sourceIp: '127.0.0.1', destinationIp: '127.0.0.1' };
const GARBAGE = 'authorization: Bearer garbage';
let world: PeerWorld;

beforeAll(async () => {
  world = await PeerWorld.start();
}, 60_000);
afterAll(() => world?.stop());

const tokens: MeshObject = {
  kind: 'RequestAuthentication',
  object: requestAuthentication('shop/tokens', { jwtRules: [{ issuer: 'https://id.example' }] }),
};
const asked: MeshObject = {
  kind: 'AuthorizationPolicy',
  object: authorizationPolicy('shop/asked', { rules: [{ from: [{ source: { requestPrincipals: ['*'] } }] }] }),
};
const limits: MeshObject = {
  kind: 'RateLimitPolicy',
  object: rateLimitPolicy('shop/limits', { limits: [{ requests: 1, unit: 'Day' }] }),
};
/** Status of a request over a connection; 0 without an answer. @param before what is said first */
async function ask(socket: Socket, header = 'x-a: b', before = ''): Promise<number> {
  const line = new Http1Line(socket.on('error', () => {}));
  const { status = 0 } = await line.send(`${before}GET / HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n`);
  line.close();
  return status;
}

const plainly =
  (name: PortName, before = '') =>
  (header?: string) =>
    ask(connect(world.port(name).number, '127.0.0.50'), header, before);
/** As no request begins; servers pass over it (RFC 9112, 2.2). */
const oddly = (name: PortName) => plainly(name, '\r\n');
/** By mTLS of the mesh, which says of what it carries that it is not known. */
const securely = (name: PortName) => async (header?: string) => {
  const entrance = { at: world.inboundPort, credentials: world.credentials };
  const caller = { ...LOOPBACK, principal: PRINCIPAL };
  return ask(await connectAs(entrance, caller, world.port(name).number, MESH_ALPN), header);
};

test('get past no policy about requests where the port says that it is of HTTP', async () => {
  await world.put(tokens);
  for (const call of [plainly('http'), oddly('http'), securely('http')]) expect(await call(GARBAGE)).toBe(401);
  await world.put(limits);
  expect(await plainly('http')()).toBe(200);
  expect(await oddly('http')()).toBe(429);
  expect(await securely('http')()).toBe(200);
  expect(await securely('http')()).toBe(429);
});

test('get past them where it says nothing, as their conditions say, but not past who may call', async () => {
  expect(await plainly('any')(GARBAGE)).toBe(401);
  expect(await plainly('any')()).toBe(200);
  expect(await plainly('any')()).toBe(429);
  for (const call of [oddly('any'), securely('any')]) expect(await call(GARBAGE)).toBe(200);
  for (const { kind, object } of [tokens, limits]) {
    const view = world.snapshot.policies.get(`${kind}/shop/${object.metadata?.name}`);
    expect(view?.notes.join()).toContain('Pods with a port that declares no protocol: 1.');
  }
  await world.put(asked);
  for (const call of [oddly('any'), securely('any')]) expect(await call(GARBAGE)).toBe(0);
});
