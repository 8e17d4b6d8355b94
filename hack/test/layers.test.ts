import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ROOT } from './child.ts';
import { chooseLayers, LAYERS } from './layers.ts';

const matches = (pattern: string, file: string): boolean => new RegExp(pattern).test(file);

test('layers run in their own order, whatever the order they are asked for in', () => {
  expect(chooseLayers(['e2e', 'unit']).map(({ name }) => name)).toEqual(['unit', 'e2e']);
});

test('what takes long to build runs by its name alone', () => {
  expect(chooseLayers([]).map(({ name }) => name)).toEqual(
    LAYERS.map(({ name }) => name).filter((name) => name !== 'keda'),
  );
  expect(chooseLayers(['keda']).map(({ name }) => name)).toEqual(['keda']);
});

test('a layer of another name is refused', () => {
  expect(() => chooseLayers(['units'])).toThrow('there is no layer "units"; there are lint, unit, property, feature');
});

test('every test file is in one layer, and in one only', async () => {
  const top = await readdir(ROOT, { withFileTypes: true });
  const folders = top.filter((entry) => entry.isDirectory() && !/^(node_modules|dist|\..*)$/.test(entry.name));
  const below = await Promise.all(folders.map(({ name }) => readdir(join(ROOT, name), { recursive: true })));
  const files = folders.flatMap(({ name }, at) => (below[at] ?? []).map((file) => join(ROOT, name, file)));
  const tests = files.filter((file) => file.endsWith('.test.ts'));
  expect(tests.length).toBeGreaterThan(300);
  const layersOf = (file: string) =>
    LAYERS.filter(({ jest }) => jest && matches(jest.only, file) && !jest.not.some((not) => matches(not, file)));
  expect(tests.filter((file) => layersOf(file).length !== 1)).toEqual([]);
});
