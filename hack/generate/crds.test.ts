import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { structuralSchema } from './crd-schema.ts';
import { crdFiles } from './crds.ts';

const root = join(import.meta.dirname, '../..');
const files = crdFiles();

describe('committed CRDs', () => {
  test.each([...files.keys()])('%s is what api/ says (else: npm run generate)', async (path) => {
    expect(await readFile(join(root, path), 'utf8')).toBe(files.get(path));
  });

  test.each(['manifests/base/crds', 'manifests/istio-crds'])('%s holds nothing else', async (folder) => {
    const names = await readdir(join(root, folder));
    expect(names.map((name) => `${folder}/${name}`).filter((path) => !files.has(path))).toEqual([]);
  });
});

describe('structuralSchema', () => {
  test('has no keyword the API server refuses, in any CRD', () => {
    for (const content of files.values()) expect(content).not.toMatch(/\$ref|additionalProperties: false|exclusiveM/);
  });

  test('keeps defaults, descriptions and metadata, and leaves fields with a default optional', () => {
    const schema = z.object({
      a: z.int().min(1).default(5).describe('A.'),
      b: z.string().meta({ 'x-kubernetes-x': 1 }),
    });
    expect(structuralSchema(schema)).toEqual({
      type: 'object',
      required: ['b'],
      properties: {
        a: { description: 'A.', type: 'integer', format: 'int64', default: 5, minimum: 1 },
        b: { type: 'string', 'x-kubernetes-x': 1 },
      },
    });
  });

  test('takes a loose object as one that keeps unknown fields', () => {
    expect(structuralSchema(z.looseObject({}))).toMatchObject({ 'x-kubernetes-preserve-unknown-fields': true });
  });

  test('gives a number-or-text field the one form a structural schema may have', () => {
    const schema = z.union([z.int(), z.string()]).meta({ 'x-kubernetes-int-or-string': true });
    expect(structuralSchema(schema)).toEqual({
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      'x-kubernetes-int-or-string': true,
    });
  });
});
