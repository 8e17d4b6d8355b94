import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { blockList } from '../outward/destination.ts';
import { fetchDocument } from './document.ts';
import { type KeyServer, startKeyServer } from './testing/key-server.ts';

const LOOPBACK = { allowed: blockList(['127.0.0.0/8']), timeoutMs: 5000 };
const NOWHERE = { ...LOOPBACK, allowed: blockList([]) };
const servers: KeyServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<KeyServer> {
  const server = await startKeyServer(answer);
  servers.push(server);
  return server;
}
const redirect = (location: string) => serve((_, response) => void response.writeHead(302, { location }).end());

describe('a document', () => {
  test('is fetched where it is, and where that leads', async () => {
    const { url } = await serve(({ url: path }, response) => {
      if (path === '/keys') response.end('here');
      else response.writeHead(307, { location: path === '/a' ? 'b' : '/keys' }).end();
    });
    expect(await fetchDocument(`${url}/keys`, LOOPBACK)).toBe('here');
    expect(await fetchDocument(`${url}/a`, LOOPBACK)).toBe('here');
  });

  test('is not fetched from this machine, its links or the like, whatever leads there', async () => {
    const server = await serve((_, response) => void response.end('secret'));
    const { port } = new URL(server.url);
    const hosts = ['127.0.0.1', 'localhost', '0', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '[::1]', '0.0.0.0'];
    for (const host of hosts) {
      await expect(fetchDocument(`http://${host}:${port}/`, NOWHERE)).rejects.toThrow(
        'has no address that keys may be',
      );
    }
    for (const location of [
      'http://169.254.169.254/latest/meta-data',
      'http://[fe80::1]/',
      'http://[::ffff:a9fe:a9fe]/',
    ]) {
      const { url } = await redirect(location);
      await expect(fetchDocument(url, LOOPBACK)).rejects.toThrow('has no address that keys may be fetched from');
    }
    expect(server.asked).toEqual([]);
  });

  test('is fetched by https and http alone, without passwords', async () => {
    for (const location of ['file:///etc/passwd', 'ftp://127.0.0.1/', 'http://me:secret@127.0.0.1/']) {
      const { url } = await redirect(location);
      await expect(fetchDocument(url, LOOPBACK)).rejects.toThrow('the URL must');
    }
  });

  test('that leads in circles is left', async () => {
    const server = await redirect('/again');
    await expect(fetchDocument(server.url, LOOPBACK)).rejects.toThrow('leads elsewhere more than 3 times');
    expect(server.asked).toHaveLength(4);
  });

  test('of 100 MB is left behind, whether it says so or not', async () => {
    const told = await serve(
      (_, response) => void response.writeHead(200, { 'content-length': 100_000_000 }).write('{'),
    );
    await expect(fetchDocument(told.url, LOOPBACK)).rejects.toThrow('more than 1048576 bytes');
    const endless = await serve((_, response) => {
      const part = Buffer.alloc(65_536, 'x');
      let left = 100_000_000;
      const push = (): void => {
        while (left > 0 && !response.destroyed) {
          left -= part.length;
          if (!response.write(part)) return void response.once('drain', push);
        }
        response.end();
      };
      push();
    });
    await expect(fetchDocument(endless.url, LOOPBACK)).rejects.toThrow('more than 1048576 bytes');
    // What the kernel holds for both sides comes on top.
    expect(endless.sent()).toBeLessThan(20_000_000);
  });

  test('that does not come, or comes byte by byte, is given up', async () => {
    const bounds = { ...LOOPBACK, timeoutMs: 200 };
    const silent = await serve(() => {});
    await expect(fetchDocument(silent.url, bounds)).rejects.toThrow('it took longer than 200 ms');
    const timers: NodeJS.Timeout[] = [];
    const slow = await serve((_, response) => void timers.push(setInterval(() => response.write(' '), 20)));
    await expect(fetchDocument(slow.url, bounds)).rejects.toThrow('it took longer than 200 ms');
    for (const timer of timers) clearInterval(timer);
  });

  test('that is not there, or compressed, or breaks off, is none', async () => {
    const { url } = await serve(({ url: path }, response) => {
      if (path === '/gone') response.writeHead(404).end('secret');
      else if (path === '/packed') response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
      else response.writeHead(200, { 'content-length': 10 }).write('x', () => response.destroy());
    });
    await expect(fetchDocument(`${url}/gone`, LOOPBACK)).rejects.toThrow(/^the server answered 404$/);
    await expect(fetchDocument(`${url}/packed`, LOOPBACK)).rejects.toThrow('compressed');
    await expect(fetchDocument(`${url}/broken`, LOOPBACK)).rejects.toThrow('no connection: ECONNRESET');
    await expect(fetchDocument('http://127.0.0.1:1/', LOOPBACK)).rejects.toThrow('no connection: ECONNREFUSED');
  });
});
