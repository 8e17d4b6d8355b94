import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Writes down what a process loads, for what it takes is mostly that, and when it first says something. */
const RECORDER = `
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
const note = (line) => appendFileSync(process.env.LOADED, line + '\\n');
registerHooks({ load(url, context, next) { note(url); return next(url, context); } });
const { write } = process.stdout;
process.stdout.write = function (...args) { note('output'); return write.apply(this, args); };
`;

/** What no verb needs that asks no cluster; all of it together takes longer than they do. */
const NEVER = [
  ...['/generated/', '/@bufbuild/', '/@kubernetes/client-node/', '/@grpc/', '/winston/', '/express/'],
  '/zod/v4/locales/index.js',
];

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'heddle-loaded-'));
  await writeFile(path.join(folder, 'recorder.mjs'), RECORDER);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a run of the command loads; of Node's own files nothing. */
interface Loaded {
  readonly files: readonly string[];
  /** Those that were loaded before it first said something. */
  readonly first: readonly string[];
}

async function loadedBy(words: readonly string[]): Promise<Loaded> {
  // Each run has its own, for one that a test gave up may go on.
  const record = path.join(await mkdtemp(path.join(folder, 'run-')), 'loaded');
  const recorder = pathToFileURL(path.join(folder, 'recorder.mjs')).href;
  await promisify(execFile)(process.execPath, ['--import', recorder, 'cli/main.ts', ...words], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '', LOADED: record, KUBECONFIG: '/dev/null' },
    maxBuffer: 2 ** 24,
  });
  const lines = (await readFile(record, 'utf8')).trim().split('\n');
  const files = (some: readonly string[]) =>
    some.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
  return { files: files(lines), first: files(lines.slice(0, lines.indexOf('output'))) };
}

test.each([
  ['version --client', 100],
  ['--help', 95],
  ['completion bash', 95],
  ['analyze --list', 95],
  ['analyze config/samples/shop', 460],
  ['inject --mesh-config default config/samples/shop/shop.yaml', 290],
  ['uninject config/samples/shop/shop.yaml', 290],
  ['canary convert cli/convert/testdata/weighted.in.yaml', 260],
  ['install --dry-run', 230],
])('heddle %s loads at most %d files, and nothing that is for clusters or Envoy', async (line, bound) => {
  const { files: loaded } = await loadedBy(line.split(' '));
  expect(loaded).toContain(path.join(ROOT, 'cli/main.ts'));
  expect(loaded.filter((file) => NEVER.some((part) => file.includes(part)))).toEqual([]);
  expect(loaded.length).toBeLessThanOrEqual(bound);
});

test('heddle install --dry-run begins to print before it reads what comes last', async () => {
  const { files, first } = await loadedBy(['install', '--dry-run']);
  const later = ['cli/install/customize.ts', 'api/mesh-config.ts'].map((file) => path.join(ROOT, file));
  expect(files).toEqual(expect.arrayContaining(later));
  expect(first.filter((file) => later.includes(file))).toEqual([]);
});

test('heddle analyze has of the translation to Envoy what tells names, ports and endpoints', async () => {
  const { files: loaded } = await loadedBy(['analyze', 'config/samples/shop']);
  const translation = loaded.map((file) => path.relative(ROOT, file)).filter((file) => file.startsWith('operator/xds'));
  expect(translation.sort()).toEqual([
    'operator/xds/destination.ts',
    'operator/xds/names.ts',
    'operator/xds/routable-ports.ts',
  ]);
});
