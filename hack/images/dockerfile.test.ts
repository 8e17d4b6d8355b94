import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { OPERATOR_ENVIRONMENT, OPERATOR_FLAGS } from '../../test/bench/child.ts';
import { parseLibraries } from './closure.ts';
import { DockerfileError, findStage, installedPackages, parseDockerfile, readInstructions } from './dockerfile.ts';
import { productionPackages } from './packages.ts';

describe('a Dockerfile', () => {
  test('gives the last stage what it says of environment, user, folder, command and files', () => {
    const stage = findStage(
      parseDockerfile(
        [
          'FROM node:24 AS build',
          'WORKDIR /src',
          'FROM node:24-slim',
          'ENV A=1 B="two words"',
          'USER 65532:65532',
          'WORKDIR /app',
          'COPY --from=build /src/dist /app/dist',
          'ENTRYPOINT ["node"]',
          'CMD ["main.js"]',
        ].join('\n'),
      ),
      undefined,
    );
    expect(stage).toMatchObject({
      base: 'node:24-slim',
      env: { A: '1', B: 'two words' },
      user: '65532:65532',
      workdir: '/app',
      entrypoint: ['node'],
      command: ['main.js'],
      copies: [{ from: 'build', sources: ['/src/dist'], target: '/app/dist' }],
    });
  });

  test('joins continued lines, skips comments between them, and keeps the first line number', () => {
    const [, step] = readInstructions('FROM x\n# why\nRUN a && \\\n  # inside\n  b\n');
    expect(step).toEqual({ keyword: 'RUN', rest: 'a && b', line: 3 });
  });

  test('lets a stage go on from an earlier one', () => {
    const stages = parseDockerfile('FROM node:24 AS base\nENV A=1\nFROM base AS next\nENV B=2');
    expect(findStage(stages, 'next')).toMatchObject({ base: 'node:24', env: { A: '1', B: '2' } });
  });

  const refused = [
    { name: 'an instruction that it does not know', text: 'FROM x\nADD a b', words: 'line 2: ADD' },
    { name: 'a command for a shell', text: 'FROM x\nCMD node main.js', words: 'no shell' },
    { name: 'a copy with another owner', text: 'FROM x\nCOPY --chown=1 a b', words: '--chown=1' },
    { name: 'an instruction before FROM', text: 'USER 1', words: 'before the first FROM' },
    { name: 'nothing at all', text: '', words: 'no FROM' },
  ];
  test.each(refused)('is refused with $name', ({ text, words }) => {
    expect(() => parseDockerfile(text)).toThrow(DockerfileError);
    expect(() => parseDockerfile(text)).toThrow(words);
  });

  test('of this project has the stages that images are made of', async () => {
    const stages = parseDockerfile(await readFile('Dockerfile', 'utf8'));
    expect(findStage(stages, undefined)).toMatchObject({
      name: 'heddle',
      // What the benches measure is what runs.
      command: ['node', ...OPERATOR_FLAGS, '/app/dist/operator/main.js'],
      env: OPERATOR_ENVIRONMENT,
    });
    for (const name of ['shop', 'testbed']) expect(findStage(stages, name).command?.[0]).toBe('node');
    const built = stages.filter(({ name }) => name !== 'go' && !name?.endsWith('build'));
    for (const stage of built) expect(stage.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });
});

describe('a RUN instruction', () => {
  const step = (rest: string): string[] | undefined => installedPackages({ keyword: 'RUN', rest, line: 1 });

  test('that installs Debian packages names them', () => {
    expect(
      step('apt-get update && apt-get install -y --no-install-recommends nftables jq && rm -rf /var/lib/apt/lists/*'),
    ).toEqual(['nftables', 'jq']);
  });

  test('that does anything else is not followed', () => {
    expect(step('apt-get install -y jq && curl -o x')).toBeUndefined();
  });
});

describe('the libraries of a program', () => {
  test('are those that ldd found, and the loader', () => {
    const output = [
      '\tlinux-vdso.so.1 (0x00007f)',
      '\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f)',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007f)',
    ].join('\n');
    expect(parseLibraries(output)).toEqual(['/lib/x86_64-linux-gnu/libm.so.6', '/lib64/ld-linux-x86-64.so.2']);
  });

  test('must all be there', () => {
    expect(() => parseLibraries('\tlibgone.so.1 => not found')).toThrow('libgone.so.1');
  });
});

describe('production packages', () => {
  test('are those of the lock file that are not for development', () => {
    const lock = JSON.stringify({
      packages: {
        '': {},
        'node_modules/a': {},
        'node_modules/a/node_modules/b': {},
        'node_modules/c': { dev: true },
        'node_modules/d': { optional: true },
      },
    });
    expect(productionPackages(lock)).toEqual(['node_modules/a', 'node_modules/a/node_modules/b', 'node_modules/d']);
  });

  test('are refused from a lock file of an older kind', () => {
    expect(() => productionPackages('{"dependencies":{}}')).toThrow('npm 7');
  });
});
