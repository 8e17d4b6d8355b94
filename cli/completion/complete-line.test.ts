import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { buildProgram } from '../program.ts';
import { completeLine } from './complete-line.ts';
import { askNames } from './names.ts';

const asked: unknown[] = [];
const complete = async (line: string): Promise<string[]> => {
  const words = line.split(' ').slice(1);
  const lines = await completeLine(buildProgram(), words, (kind, flags) => {
    asked.push([kind, flags]);
    return Promise.resolve(kind === undefined ? [] : [`a-${kind}`, 'other']);
  });
  return lines.map((each) => each.split('\t')[0] ?? '');
};

describe('completing a line', () => {
  test.each([
    ['heddle can', ['canary']],
    ['heddle canary pro', ['promote']],
    ['heddle canaries pro', ['promote']],
    ['heddle check --p', ['--pre']],
    ['heddle check -o ', ['table', 'wide', 'json', 'yaml']],
    ['heddle check -o j', ['json']],
    ['heddle completion z', ['zsh']],
    ['heddle completion zsh ', []],
    ['heddle check -n ', ['a-namespaces', 'other']],
    ['heddle check -n a', ['a-namespaces']],
    ['heddle check --context ', ['a-contexts', 'other']],
    ['heddle canary status o', ['other']],
    ['heddle canary status --watch ', ['a-canaries', 'other']],
    ['heddle cert status ', ['a-trustrotations', 'other']],
    ['heddle describe pod ', ['a-pods', 'other']],
    ['heddle describe svc ', ['a-services', 'other']],
    ['heddle proxy config a', ['a-pods']],
    ['heddle tap ', ['a-pods', 'other']],
    ['heddle logs ', ['a-pods', 'other']],
    ['heddle explain ', ['a-pods', 'other']],
    ['heddle inject ', []],
    ['heddle nothing ', []],
  ])('%s', async (line, expected) => {
    expect(await complete(line)).toEqual(expected);
  });

  test('asks where the options of the line say', async () => {
    asked.length = 0;
    await complete('heddle canary status -n shop --context=prod ');
    expect(asked).toEqual([['canaries', { namespace: 'shop', context: 'prod' }]]);
  });

  test('shows no command that is hidden', async () => {
    expect(await complete('heddle __')).toEqual([]);
  });
});

test('names are none where no cluster answers, and after a second', async () => {
  const open = new Set<Socket>();
  const silent = createServer((socket) => open.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-names-'));
  const kubeconfig = path.join(folder, 'config');
  const cluster = { name: 'a', cluster: { server: `https://127.0.0.1:${port}` } };
  const config = {
    'current-context': 'a',
    clusters: [cluster],
    users: [{ name: 'a', user: {} }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  expect(await askNames('contexts', { kubeconfig })).toEqual(['a']);
  expect(await askNames('pods', { kubeconfig })).toEqual([]);
  expect(await askNames('pods', { kubeconfig: '/nowhere' })).toEqual([]);
  expect(open.size).toBe(1);
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
  await rm(folder, { recursive: true });
});

test('kubectl gets candidates in its own form', async () => {
  const { stdout } = await promisify(execFile)(path.resolve('cli/kubectl_complete-heddle'), ['canary', 'pro']);
  expect(stdout).toMatch(/^promote\t.*\n:4\n$/);
});

test('bash takes the candidates of the word under way', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-bash-'));
  const program = path.join(folder, 'heddle');
  await writeFile(
    program,
    `#!/bin/sh\nexec '${process.execPath}' --no-warnings '${path.resolve('cli/main.ts')}' "$@"\n`,
  );
  await chmod(program, 0o755);
  const line = `source <(heddle completion bash); COMP_WORDS=(heddle canary pro); COMP_CWORD=2; _heddle; echo "\${COMPREPLY[@]}"`;
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const { stdout } = await promisify(execFile)('bash', ['-c', line], { env });
  expect(stdout).toBe('promote\n');
  await rm(folder, { recursive: true });
});
