import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that the kernel gives to connections going out, any of which could take a port before it is listened on. */
const FIRST = 10_000;
const COUNT = 20_000;
const given = new Set<number>();

/** A port of loopback on which nobody listens, given once. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error('no port of loopback is free');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
