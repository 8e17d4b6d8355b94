import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { formatRefusalBudget } from './refusal-budget.ts';

test('the file that tests of the real Envoy read is the one that pods have', () => {
  const fixture = readFileSync(join(import.meta.dirname, '../operator/xds/testing/refusal-budget.json'), 'utf8');
  expect(JSON.parse(fixture)).toEqual(JSON.parse(formatRefusalBudget()));
});
