import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { noteUse, removeUnused } from './unused.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'heddle-unused-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('what nothing has used for a month is removed, folders too', async () => {
  const [used, old, young] = ['used', 'old', 'young'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const place of [used, old]) {
    await mkdir(place);
    await writeFile(path.join(place, 'binary'), 'x');
    const before = new Date(Date.now() - 31 * 24 * 3_600_000);
    await utimes(place, before, before);
  }
  await writeFile(young, 'x');
  await noteUse(used, path.join(folder, 'none'));
  await removeUnused(folder);
  expect((await readdir(folder)).sort()).toEqual(['used', 'young']);
});
