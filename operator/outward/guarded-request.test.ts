import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { blockList } from './destination.ts';

const HOST = 'keys.invalid';
const allowed = blockList(['127.0.0.1/32']);
/** Addresses of every name, for who asks first; whoever asks the system once more hears that there is no such name. */
let found: string[] = [];
const { lookup } = dns;
dns.lookup = (async () => found.map((address) => ({ address, family: 4 }))) as unknown as typeof lookup;
const { sendGuarded, readText } = await import('./guarded-request.ts');
const server = createServer((_, response) => void response.end('here'));
let url: URL;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`http://${HOST}:${(server.address() as AddressInfo).port}/`);
});
afterAll(async () => {
  dns.lookup = lookup;
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const send = () => sendGuarded(url, { method: 'GET', headers: {}, signal: AbortSignal.timeout(5000), allowed });

test('goes to the address that was looked at: the name is not asked for again, which might lead elsewhere by then', async () => {
  found = ['169.254.169.254', '127.0.0.1'];
  const answer = await send();
  expect([answer.statusCode, await readText(answer, 100)]).toEqual([200, 'here']);
});

test('goes nowhere where no address may be called', async () => {
  found = ['169.254.169.254', '127.0.0.2'];
  await expect(send()).rejects.toThrow(`${HOST} has no address that may be called`);
});
