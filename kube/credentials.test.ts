import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Credentials } from './credentials.ts';
import { loadKubeConfig } from './kube-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'config');
writeFileSync(
  file,
  JSON.stringify({
    clusters: [
      { name: 'one', cluster: { server: 'https://one.example:6443/prefix', 'tls-server-name': 'kube' } },
      { name: 'two', cluster: { server: 'https://two.example', 'insecure-skip-tls-verify': true } },
    ],
    users: [
      { name: 'token', user: { token: 'abc' } },
      { name: 'basic', user: { username: 'me', password: 'pass' } },
    ],
    contexts: [
      { name: 'first', context: { cluster: 'one', user: 'token' } },
      { name: 'second', context: { cluster: 'two', user: 'basic' } },
    ],
    'current-context': 'first',
  }),
);

describe('credentials', () => {
  test('come from the current context of the file that KUBECONFIG names', async () => {
    const config = loadKubeConfig({ kubeconfig: file }, {});
    const { server, headers } = await new Credentials(config).prepare();
    expect([server.href, headers]).toEqual(['https://one.example:6443/prefix', { Authorization: 'Bearer abc' }]);
  });

  test('come from another context when it is named', async () => {
    const { server, headers } = await new Credentials(
      loadKubeConfig({ kubeconfig: file, context: 'second' }, {}),
    ).prepare();
    const expected = { Authorization: `Basic ${Buffer.from('me:pass').toString('base64')}` };
    expect([server.href, headers]).toEqual(['https://two.example/', expected]);
  });

  test('an unknown context is refused with the ones there are', () => {
    expect(() => loadKubeConfig({ kubeconfig: file, context: 'third' }, {})).toThrow(
      'context "third" is not in the kubeconfig; it has: first, second',
    );
  });

  test('connections are kept while nothing changes, and follow a rotated token', async () => {
    const config = loadKubeConfig({ kubeconfig: file }, {});
    const credentials = new Credentials(config);
    const before = await credentials.prepare();
    const user = config.users[0];
    if (user) config.users[0] = { ...user, token: 'def' };
    credentials.invalidate();
    const after = await credentials.prepare();
    expect(after.agent).toBe(before.agent);
    expect(after.headers.Authorization).toBe('Bearer def');
  });
});
