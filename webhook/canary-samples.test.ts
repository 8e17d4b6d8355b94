import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { validateAlertProvider } from './validate-alert-provider.ts';
import { validateCanary } from './validate-canary.ts';
import { validateMetricTemplate } from './validate-metric-template.ts';

const FOLDER = join(import.meta.dirname, '../config/samples/canary');
const JUDGES: Readonly<Record<string, (spec: unknown) => string[]>> = {
  AlertProvider: validateAlertProvider,
  Canary: validateCanary,
  MetricTemplate: validateMetricTemplate,
};

test.each(readdirSync(FOLDER))('the sample %s is what admission takes', (file) => {
  const documents = parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8'));
  const objects = documents.map((document) => document.toJS() as { kind: string; spec?: unknown });
  for (const { kind, spec } of objects) expect([kind, JUDGES[kind]?.(spec) ?? []]).toEqual([kind, []]);
  expect(objects.length).toBeGreaterThan(0);
});
