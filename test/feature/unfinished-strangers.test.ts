import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { peerAuthentication } from '../../operator/mesh/testing/objects.ts';
import { MESH_ALPN } from '../../proxy/names.ts';
import { connectAs } from './support/mesh-callers.ts';
import { PeerWorld, PRINCIPAL } from './support/peer-world.ts';

/** Who begins something at a real sidecar's inbound port and does not finish it, without having shown who it is. */

let world: PeerWorld;

beforeAll(async () => {
  world = await PeerWorld.start();
  await world.enforce([peerAuthentication('shop/n', { mtls: { mode: 'PERMISSIVE' } })]);
}, 60_000);
afterAll(() => world?.stop());

const port = (name: Parameters<PeerWorld['port']>[0]): number => world.port(name).number;

/** What a sidecar would begin a handshake with. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const captured = new Duplex({ read: () => {}, write: (bytes: Buffer) => resolve(bytes) });
    connectTls({ socket: captured, ALPNProtocols: [MESH_ALPN] }).on('error', () => {});
  });
}

/** Says so much to a port of the server, and nothing more. */
async function begin(to: number, bytes: Buffer | string): Promise<Socket> {
  const socket = connect({ port: world.inboundPort, host: '127.0.0.1' });
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  socket.write(`PROXY TCP4 127.0.0.1 127.0.0.1 40000 ${to}\r\n`);
  socket.write(bytes);
  return socket;
}

/** For how long it is held, in s; for no longer than a minute. */
async function held(socket: Socket): Promise<number> {
  const begun = performance.now();
  const given = setTimeout(() => socket.destroy(), 60_000);
  if (!socket.closed) await once(socket, 'close');
  clearTimeout(given);
  return (performance.now() - begun) / 1000;
}

/** Answers to a request at two kinds of port, of who showed a certificate so many ms before. */
async function answersAfter(silentMs: number): Promise<string[]> {
  const entrance = { at: world.inboundPort, credentials: world.credentials };
  const caller = { sourceIp: '127.0.0.1', destinationIp: '127.0.0.1', principal: PRINCIPAL };
  const sockets = await Promise.all([port('http'), port('tcp')].map((to) => connectAs(entrance, caller, to)));
  await new Promise((resolve) => setTimeout(resolve, silentMs));
  const answers = sockets.map(async (socket) => {
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const [answer] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => ['closed'])]);
    socket.destroy();
    return String(answer).slice(0, 12);
  });
  return Promise.all(answers);
}

test('a handshake is finished in a quarter of a minute and headers in half of one, or the connection is closed', async () => {
  const hello = await clientHello();
  const handshakes = ['http', 'any', 'tcp', 'bare'] as const;
  const [answers, headers, ...times] = await Promise.all([
    // Who has shown a certificate may be silent.
    answersAfter(40_000),
    begin(port('http'), 'GET / HTTP/1.1\r\nhost: x\r\n').then(held),
    ...handshakes.map(async (name) => held(await begin(port(name), hello))),
  ]);
  for (const seconds of times) {
    expect(seconds).toBeGreaterThan(10);
    expect(seconds).toBeLessThan(25);
  }
  expect(headers).toBeGreaterThan(25);
  expect(headers).toBeLessThan(45);
  expect(answers).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
}, 90_000);
