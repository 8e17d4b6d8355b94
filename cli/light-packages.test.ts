import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

/** Tells what the client says of the kubeconfig, whether it forwards ports, and how many of its generated files were read for it. */
const LOADS = `
import { registerHooks } from 'node:module';
import { lightenPackages } from './cli/light-packages.ts';
lightenPackages();
let generated = 0;
registerHooks({ load: (url, context, next) => { generated += url.includes('/dist/gen/') ? 1 : 0; return next(url, context); } });
const { loadKubeConfig } = await import('./kube/kube-config.ts');
const { PortForward } = await import('@kubernetes/client-node/dist/portforward.js');
const config = loadKubeConfig({ kubeconfig: process.argv[1] });
console.log(JSON.stringify([config.getCurrentCluster().server, typeof new PortForward(config).portForward, generated]));
`;

const KUBECONFIG = JSON.stringify({
  clusters: [{ name: 'a', cluster: { server: 'https://one.example' } }],
  contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
  users: [{ name: 'a', user: {} }],
  'current-context': 'a',
});

test('the command reads a kubeconfig and forwards ports without the classes of the API', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-light-'));
  try {
    const file = join(folder, 'config');
    await writeFile(file, KUBECONFIG);
    const run = await promisify(execFile)(process.execPath, [
      '--no-warnings',
      '--input-type=module',
      '-e',
      LOADS,
      file,
    ]);
    const [server, forward, generated] = JSON.parse(run.stdout);
    expect([server, forward]).toEqual(['https://one.example', 'function']);
    expect(generated).toBeGreaterThan(0);
    expect(generated).toBeLessThan(30);
  } finally {
    await rm(folder, { recursive: true });
  }
});
