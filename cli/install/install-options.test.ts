import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { readChoices } from './install-options.ts';

const flags = { istioCrds: true, wait: true, timeout: '3m', forceConflicts: false };
const BEFORE = { settings: { proxy: { logLevel: 'info', dnsCapture: true } }, image: 'a', replicas: 2 };

test('what was chosen before holds on, but for what is chosen now', async () => {
  const choose = await readChoices({ ...flags, set: ['proxy.logLevel=debug'], values: [], replicas: 3 });
  expect(choose(BEFORE)).toEqual({
    settings: { proxy: { logLevel: 'debug', dnsCapture: true } },
    image: 'a',
    replicas: 3,
  });
  expect(choose()).toEqual({ settings: { proxy: { logLevel: 'debug' } }, replicas: 3 });
});

test('null takes a choice of before back, by --set and in a file', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-values-'));
  const file = path.join(folder, 'values.yaml');
  await writeFile(file, 'proxy: { logLevel: null }\n');
  const choose = await readChoices({ ...flags, set: ['proxy.dnsCapture=null'], values: [file] });
  expect(choose(BEFORE)).toEqual({ settings: {}, image: 'a', replicas: 2 });
  expect(choose()).toEqual({ settings: {} });
  await rm(folder, { recursive: true });
});

test('a file that is no map of settings is named', async () => {
  await expect(readChoices({ ...flags, set: [], values: ['/nowhere.yaml'] })).rejects.toThrow('--values /nowhere.yaml');
});
