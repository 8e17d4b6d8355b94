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

const CONVERTED = join(import.meta.dirname, '..', 'cli', 'convert', 'testdata');

test.each(readdirSync(CONVERTED).filter((file) => file.endsWith('.out.yaml')))(
  "what %s has of Flagger's canaries is admitted",
  (file) => {
    const objects = parseAllDocuments(readFileSync(join(CONVERTED, file), 'utf8')).map((document) => document.toJS());
    for (const { spec } of objects.filter((object) => object?.kind === 'Canary'))
      expect(validateCanary(spec)).toEqual([]);
  },
);
