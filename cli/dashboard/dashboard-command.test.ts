import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test('Ctrl-C ends it while nobody answers yet', async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  closing.push(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-dashboard-'));
  closing.push(() => rm(folder, { recursive: true }));
  const kubeconfig = path.join(folder, 'config');
  const config = {
    'current-context': 'a',
    clusters: [{ name: 'a', cluster: { server: `https://127.0.0.1:${port}` } }],
    users: [{ name: 'a', user: {} }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const args = ['--no-warnings', path.resolve('cli/main.ts'), 'dashboard', '--no-open', '--kubeconfig', kubeconfig];
  const connected = once(silent, 'connection');
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  closing.push(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const [asking] = (await connected) as [Socket];
  closing.push(() => asking.destroy());
  child.kill('SIGINT');
  expect(await ended).toEqual([null, 'SIGINT']);
});
