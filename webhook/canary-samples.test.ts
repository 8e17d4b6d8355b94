import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { CANARY_KIND } from '../api/canary.ts';
import { validateCanary } from './validate-canary.ts';

const FOLDER = join(import.meta.dirname, '../config/samples/canary');

test.each(readdirSync(FOLDER))('the sample %s is admitted', (file) => {
  const objects = parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map((document) => document.toJS());
  const canaries = objects.filter(({ kind }) => kind === CANARY_KIND);
  expect(canaries.length).toBeGreaterThan(0);
  for (const { spec } of canaries) expect(validateCanary(spec)).toEqual([]);
});
