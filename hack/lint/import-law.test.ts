import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { EFFECTS, lawConfiguration, MAX_DEPTH, PURE, ROOMS } from './import-law.ts';

const root = join(import.meta.dirname, '../..');
const targets = [...ROOMS.map(({ path }) => path), 'generated', 'hack', 'test'];
const contracts = [...new Set(ROOMS.flatMap(({ may }) => may).filter((target) => target.endsWith('.ts')))];

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly allowed: boolean;
}

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Every edge from a file of a room, at each depth, to a file of each room and to each contract. */
const edges: readonly Edge[] = ROOMS.flatMap(({ path, may }) =>
  Array.from({ length: MAX_DEPTH + 1 }, (_, depth) => {
    const from = `${path}/${'deep/'.repeat(depth)}fixture-file.ts`;
    const files = [...targets.map((target) => `${target}/target-file.ts`), ...contracts];
    return files
      .filter((to) => !within(to, path))
      .map((to) => ({ from, to, allowed: may.some((target) => within(to, target)) }));
  }).flat(),
);

const spelled = ({ from, to }: Edge): string => {
  const path = relative(dirname(from), to);
  return path.startsWith('.') ? path : `./${path}`;
};

/** Lints files with the committed configuration, and gives the imports that were refused as `from → to`. */
async function refused(files: ReadonlyMap<string, string>): Promise<Set<string>> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'heddle-law-')));
  try {
    await cp(join(root, 'biome.json'), join(folder, 'biome.json'));
    await mkdir(join(folder, 'hack/lint'), { recursive: true });
    await cp(join(root, 'hack/lint/import-law.json'), join(folder, 'hack/lint/import-law.json'));
    for (const [path, content] of files) {
      await mkdir(join(folder, dirname(path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    const args = [
      'lint',
      '--only=style/noRestrictedImports',
      '--vcs-enabled=false',
      '--max-diagnostics=none',
      '--reporter=github',
      '.',
    ];
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
    const run = promisify(execFile)(process.execPath, [biome, ...args], { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
    const { stdout } = await run.catch((error: { stdout: string }) => error);
    const found = new Set<string>();
    for (const [, file = '', line] of stdout.matchAll(/file=([^,]+),line=(\d+)/g)) {
      found.add(`${relative(folder, file)}:${line}`);
    }
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('the import law', () => {
  const lines = new Map<string, Edge[]>();
  for (const edge of edges) lines.set(edge.from, [...(lines.get(edge.from) ?? []), edge]);
  let found = new Set<string>();

  beforeAll(async () => {
    const files = [...lines].map(([from, list]): [string, string] => [
      from,
      list.map((edge) => `import type {} from '${spelled(edge)}';\n`).join(''),
    ]);
    found = await refused(new Map(files));
  }, 30_000);

  test('is committed as the rooms say it (else: node hack/lint/main.ts)', async () => {
    const committed = JSON.parse(await readFile(join(root, 'hack/lint/import-law.json'), 'utf8'));
    expect(committed).toEqual(lawConfiguration());
  });

  test('refuses every edge that is not in the list', () => {
    const missed = edges.filter((edge) => !edge.allowed && !found.has(`${edge.from}:${lineOf(edge)}`));
    expect(missed).toEqual([]);
  });

  test('lets every edge pass that is in the list', () => {
    const wrong = edges.filter((edge) => edge.allowed && found.has(`${edge.from}:${lineOf(edge)}`));
    expect(wrong).toEqual([]);
  });

  test('keeps effects out of the pure rooms', async () => {
    const content = EFFECTS.map((name) => `import type {} from '${name}';\n`).join('');
    const files = PURE.map((room): [string, string] => [`${room}/fixture-file.ts`, content]);
    expect((await refused(new Map(files))).size).toBe(PURE.length * EFFECTS.length);
  });

  test('reaches every folder of the rooms', async () => {
    for (const { path } of ROOMS) {
      const entries = await readdir(join(root, path), { recursive: true }).catch(() => []);
      const tooDeep = entries.filter((entry) => entry.endsWith('.ts') && entry.split('/').length > MAX_DEPTH + 1);
      expect(tooDeep).toEqual([]);
    }
  });

  function lineOf(edge: Edge): number {
    return (lines.get(edge.from) ?? []).indexOf(edge) + 1;
  }
});
