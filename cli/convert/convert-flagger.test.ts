import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { canarySpec } from '../../api/canary.ts';
import { CliError } from '../cli-error.ts';
import { convertFlagger } from './convert-flagger.ts';

const FOLDER = new URL('testdata/', import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.in.yaml'))
  .map((file) => file.replace('.in.yaml', ''));

function read(file: string): string {
  return readFileSync(new URL(file, FOLDER), 'utf8');
}

describe.each(NAMES)('%s', (name) => {
  const { text, notes, converted } = convertFlagger(read(`${name}.in.yaml`));
  const whole = `${text}\n# ${notes.join('\n# ')}\n`;

  test('is converted as recorded', () => {
    if (process.env.UPDATE_GOLDEN) writeFileSync(new URL(`${name}.out.yaml`, FOLDER), whole);
    expect(whole).toBe(read(`${name}.out.yaml`));
    expect(converted).toBeGreaterThan(0);
  });

  test('gives canaries that the API takes', () => {
    const objects = parseAllDocuments(text).map((document) => document.toJS());
    const canaries = objects.filter(({ kind }) => kind === 'Canary');
    expect(canaries).not.toEqual([]);
    for (const { apiVersion, spec } of canaries) {
      expect(apiVersion).toBe('heddle.dev/v1alpha1');
      expect(canarySpec.safeParse(spec).error?.issues ?? []).toEqual([]);
    }
  });

  test('is left alone when it is converted again', () => {
    expect(convertFlagger(text)).toMatchObject({ converted: 0, text });
  });
});

test('what is no YAML is refused with its place', () => {
  expect(() => convertFlagger('kind: [Canary')).toThrow(CliError);
  expect(() => convertFlagger('kind: [Canary')).toThrow(/line 1, column/);
});

test.each([
  ['Deployment', false],
  ['StatefulSet', false],
  ['DaemonSet', false],
  ['Service', true],
])('of a target that is a %s it is said that it cannot be released: %s', (kind, said) => {
  const spec = `{ targetRef: { kind: ${kind}, name: podinfo }, analysis: { metrics: [] } }`;
  const { notes } = convertFlagger(
    `apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: { name: podinfo }\nspec: ${spec}\n`,
  );
  expect(notes.some((note) => note.includes('spec.targetRef.kind'))).toBe(said);
});
