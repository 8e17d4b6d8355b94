import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { openerFor } from './browser.ts';
import { listenLocally } from './local-port.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

test('each connection has a tunnel of its own, and one that can not be opened ends none but its own', async () => {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const failures: string[] = [];
  let tunnels = 0;
  const open = () =>
    tunnels++ === 1 ? Promise.reject(new Error('away')) : Promise.resolve(connect(port, '127.0.0.1'));
  const local = await listenLocally(0, open, ({ message }) => failures.push(message));
  closing.push(() => local.close());
  const ask = async (): Promise<string> => {
    const socket = connect(local.port, '127.0.0.1').setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.write('hello');
    const answer = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => ['closed'])]);
    socket.destroy();
    return String(answer[0]);
  };
  expect([await ask(), await ask(), await ask()]).toEqual(['hello', 'closed', 'hello']);
  expect(failures).toEqual(['away']);
});

test('a port that is taken is said to be', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  closing.push(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  await expect(
    listenLocally(
      port,
      () => Promise.reject(new Error()),
      () => undefined,
    ),
  ).rejects.toMatchObject({
    message: `port ${port} is taken`,
    next: 'name another with --port, or 0 for any',
  });
});

test.each([
  ['darwin', {}, 'open'],
  ['linux', { DISPLAY: ':0' }, 'xdg-open'],
  ['linux', {}, undefined],
  ['darwin', { SSH_CONNECTION: 'a b' }, undefined],
  ['linux', { DISPLAY: ':0', CI: 'true' }, undefined],
] as const)('on %s with %j the browser is opened by %s', (platform, env, program) => {
  expect(openerFor(platform, env)?.[0]).toBe(program);
});
