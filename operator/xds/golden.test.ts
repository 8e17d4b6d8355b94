import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Registry } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { envoyRegistry } from './testing/envoy-registry.ts';
import { FOLDER, goldenNames, loadGoldenCase } from './testing/golden-case.ts';

/**
 * `NAME.in.yaml` holds Kubernetes objects; `NAME.clusters.yaml` and so on what the first pod in it is sent, or what of that the case shows (see
 * `golden-case.ts`). `UPDATE_GOLDEN=1` writes them anew, and removes those whose input is gone. Envoy has its say in `test/feature/goldens.test.ts`.
 */
const UPDATE = process.env.UPDATE_GOLDEN === '1';
const CASES = goldenNames().map((name) => ({ name, golden: loadGoldenCase(name) }));

let registry: Registry;

beforeAll(() => {
  registry = envoyRegistry();
});

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
