import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MemoryCounters } from '../../operator/ratelimit/memory-counters.ts';
import { RateLimitWorld } from './support/rate-limit-world.ts';

/** Limits of connections and bytes, in the real Envoy. */

const KIB = 1024;
const RATE_KIB = 512;
const UI = 'cluster.local/ns/shop/sa/ui';

let world: RateLimitWorld;
const servers: Server[] = [];

/** Says hello to whoever speaks, or sends as many KiB as it is asked for. Gives its port. */
async function startTcpServer(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const asked = /send (\d+)\n/.exec(data.toString('latin1'))?.[1];
      socket.write(asked === undefined ? 'hello\n' : Buffer.alloc(Number(asked) * KIB, 'x'));
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

beforeAll(async () => {
  const services = {
    few: { policy: { connections: { max: 2 } }, tcpPort: await startTcpServer() },
    seldom: { policy: { connections: { perSecond: 3 } }, tcpPort: await startTcpServer() },
    web: { policy: { connections: { max: 1 } } },
    slow: {
      policy: { bandwidth: { sendKiBPerSecond: RATE_KIB, receiveKiBPerSecond: RATE_KIB } },
      tcpPort: await startTcpServer(),
    },
    bodies: { policy: { bandwidth: { receiveKiBPerSecond: RATE_KIB } } },
  };
  world = await RateLimitWorld.start(services, new MemoryCounters(), { principals: [UI] });
}, 60_000);

afterAll(async () => {
  await world?.stop();
  for (const server of servers) server.close();
});

/** Whether the server answers; a connection over its limit is closed instead. */
async function isGreeted(socket: Socket): Promise<boolean> {
  socket.write('hello\n');
  const heard = Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)]);
  return heard.catch(() => false);
}

async function open(name: string, count: number, principal?: string): Promise<{ sockets: Socket[]; greeted: number }> {
  const sockets: Socket[] = [];
  let greeted = 0;
  for (let n = 0; n < count; n++) {
    // With mTLS the handshake may not come to its end.
    const socket = await world.connect(name, principal === undefined ? {} : { principal }).catch(() => undefined);
    if (socket === undefined) continue;
    sockets.push(socket);
    if (await isGreeted(socket)) greeted += 1;
  }
  return { sockets, greeted };
}

describe('connections', () => {
  test.each([undefined, UI])('over those that may be open are closed, until one ends (%s)', async (principal) => {
    const { sockets, greeted } = await open('few', 4, principal);
    expect(greeted).toBe(2);
    sockets[0]?.destroy();
    for (const end = performance.now() + 10_000; performance.now() < end; ) {
      const again = await open('few', 1, principal);
      sockets.push(...again.sockets);
      if (again.greeted === 1) break;
    }
    expect((await open('few', 1, principal)).greeted).toBe(0);
    for (const socket of sockets) socket.destroy();
  });

  test('that come too often are closed, those of all kinds together', async () => {
    const plain = await open('seldom', 2);
    const [mutual, late] = [await open('seldom', 1, UI), await open('seldom', 20)];
    expect(plain.greeted + mutual.greeted).toBe(3);
    // A slow machine may take a second for these.
    expect(late.greeted).toBeLessThan(20);
    for (const socket of [...plain.sockets, ...mutual.sockets, ...late.sockets]) socket.destroy();
  });

  test('are counted for HTTP as well', async () => {
    const line = await world.line('web');
    const { status } = await line.send('GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n');
    expect(status).toBe(200);
    await expect(world.ask('web')).rejects.toThrow();
    line.close();
  });
});

describe('bytes', () => {
  /** Seconds that so many KiB take to come. */
  async function receive(kib: number): Promise<number> {
    const socket = await world.connect('slow');
    let bytes = 0;
    const start = performance.now();
    const done = new Promise<void>((resolve) => {
      socket.on('data', (data: Buffer) => {
        bytes += data.length;
        if (bytes >= kib * KIB) resolve();
      });
    });
    socket.write(`send ${kib}\n`);
    await done;
    socket.destroy();
    return (performance.now() - start) / 1000;
  }

  test('of TCP that are over their limit wait, those of all connections together', async () => {
    // A second's worth may go at once, and so may what is in buffers, which on a busy machine is more.
    expect(await receive(RATE_KIB * 6)).toBeGreaterThan(3);
    // Alone each would take less than this.
    const seconds = await Promise.all([receive(RATE_KIB * 4), receive(RATE_KIB * 4)]);
    expect(Math.max(...seconds)).toBeGreaterThan(4);
  }, 60_000);

  test('of HTTP bodies that are over their limit wait', async () => {
    const line = await world.line('bodies');
    const body = 'x'.repeat(RATE_KIB * 6 * KIB);
    const start = performance.now();
    const head = `POST / HTTP/1.1\r\nhost: shop.example\r\ncontent-length: ${body.length}\r\n\r\n`;
    expect((await line.send(head + body)).status).toBe(200);
    expect((performance.now() - start) / 1000).toBeGreaterThan(3);
    line.close();
  }, 60_000);
});
