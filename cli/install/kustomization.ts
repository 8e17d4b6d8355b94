import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { ManifestObject } from './manifest-object.ts';

/** What our kustomizations use; anything else is refused, lest it be left out unnoticed. */
const kustomization = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  resources: z.array(z.string()).default([]),
  labels: z.array(z.strictObject({ pairs: z.record(z.string(), z.string()) })).default([]),
  configMapGenerator: z
    .array(
      z.strictObject({
        name: z.string(),
        namespace: z.string(),
        files: z.array(z.string().regex(/^[^=]+$/)),
        options: z.strictObject({
          disableNameSuffixHash: z.literal(true),
          labels: z.record(z.string(), z.string()).default({}),
        }),
      }),
    )
    .default([]),
});

/**
 * Builds a folder with a kustomization.yaml as `kubectl kustomize` does, so that no kubectl is needed.
 * @throws {Error} naming file and field where it uses what is not known here
 */
export async function buildKustomization(folder: string): Promise<ManifestObject[]> {
  const file = path.join(folder, 'kustomization.yaml');
  const result = kustomization.safeParse(parse(await readFile(file, 'utf8')));
  if (!result.success) throw new Error(`${file}: ${z.prettifyError(result.error)}`);
  const { resources, configMapGenerator, labels } = result.data;
  const objects: ManifestObject[] = [];
  for (const resource of resources) objects.push(...(await readResource(path.join(folder, resource))));
  for (const { name, namespace, files, options } of configMapGenerator) {
    const data: Record<string, string> = {};
    for (const each of files) data[path.basename(each)] = await readFile(path.join(folder, each), 'utf8');
    const metadata = { name, namespace, labels: { ...options.labels } };
    objects.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  }
  for (const { pairs } of labels) {
    for (const object of objects) object.metadata.labels = { ...object.metadata.labels, ...pairs };
  }
  return objects;
}

async function readResource(resource: string): Promise<ManifestObject[]> {
  if ((await stat(resource)).isDirectory()) return buildKustomization(resource);
  const documents = parseAllDocuments(await readFile(resource, 'utf8'));
  return documents.map((document) => document.toJS() as ManifestObject).filter((object) => object !== null);
}
