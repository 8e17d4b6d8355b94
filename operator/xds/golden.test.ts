import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Registry } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { envoyRegistry } from './testing/envoy-registry.ts';
import { findObjections } from './testing/envoy-validation.ts';
import { loadGoldenCase } from './testing/golden-case.ts';
import { buildStaticBootstrap, type StaticSecrets } from './testing/static-bootstrap.ts';
import { testSecrets } from './testing/test-certificates.ts';

/**
 * `NAME.in.yaml` holds Kubernetes objects; `NAME.clusters.yaml` and so on what the first pod in it is sent, or what of that the case shows (see
 * `golden-case.ts`). `UPDATE_GOLDEN=1` writes them anew, and removes those whose input is gone.
 */
const FOLDER = join(import.meta.dirname, 'testdata');
const UPDATE = process.env.UPDATE_GOLDEN === '1';
const CASES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.in.yaml'))
  .map((file) => basename(file, '.in.yaml'))
  .map((name) => ({ name, golden: loadGoldenCase(name) }));

let registry: Registry;
let secrets: StaticSecrets;
let directory: string;

beforeAll(async () => {
  registry = envoyRegistry();
  secrets = await testSecrets('spiffe://cluster.local/ns/shop/sa/default');
  directory = mkdtempSync(join(tmpdir(), 'golden-'));
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(CASES)('the golden case $name', ({ name, golden }) => {
  test.each(golden.parts)('gives the expected %s', (part) => {
    const file = join(FOLDER, `${name}.${part}.yaml`);
    const rendered = golden.render(part, registry);
    if (UPDATE) writeFileSync(file, rendered);
    expect(rendered).toBe(readFileSync(file, 'utf8'));
  });

  test('reports the expected problems', () => {
    expect(golden.problems).toEqual(golden.expectedProblems);
  });

  test('is accepted by Envoy, all of it', async () => {
    const bootstrap = buildStaticBootstrap(golden.cache, golden.proxy, registry, secrets);
    expect(await findObjections(bootstrap, join(directory, `${name}.json`))).toBe('');
  }, 60_000);
});

test('every golden file has its input', () => {
  const expected = new Set(
    CASES.flatMap(({ name, golden }) => ['in', ...golden.parts].map((part) => `${name}.${part}.yaml`)),
  );
  const outputs = readdirSync(FOLDER).filter((file) => !file.endsWith('.mesh.yaml'));
  const orphans = outputs.filter((file) => !expected.has(file));
  if (UPDATE) for (const orphan of orphans) rmSync(join(FOLDER, orphan));
  expect(UPDATE ? [] : orphans).toEqual([]);
});
