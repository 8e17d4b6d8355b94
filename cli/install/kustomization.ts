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

/** All objects of {@link readKustomization}. */
export async function buildKustomization(folder: string): Promise<ManifestObject[]> {
  const objects: ManifestObject[] = [];
  for await (const object of readKustomization(folder)) objects.push(object);
  return objects;
}

/**
 * Builds a folder with a kustomization.yaml as `kubectl kustomize` does, so that no kubectl is needed. Gives an object as soon as it is read: all take a while.
 * @throws {Error} naming file and field where it uses what is not known here
 */
export async function* readKustomization(folder: string): AsyncGenerator<ManifestObject> {
  const file = path.join(folder, 'kustomization.yaml');
  const result = kustomization.safeParse(parse(await readFile(file, 'utf8')));
  if (!result.success) throw new Error(`${file}: ${z.prettifyError(result.error)}`);
  const { resources, configMapGenerator, labels } = result.data;
  const labelled = (object: ManifestObject): ManifestObject => {
    for (const { pairs } of labels) object.metadata.labels = { ...object.metadata.labels, ...pairs };
    return object;
  };
  for (const resource of resources) {
    for await (const object of readResource(path.join(folder, resource))) yield labelled(object);
  }
  for (const { name, namespace, files, options } of configMapGenerator) {
    const data: Record<string, string> = {};
    for (const each of files) data[path.basename(each)] = await readFile(path.join(folder, each), 'utf8');
    const metadata = { name, namespace, labels: { ...options.labels } };
    yield labelled({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  }
}

async function* readResource(resource: string): AsyncGenerator<ManifestObject> {
  if ((await stat(resource)).isDirectory()) return yield* readKustomization(resource);
  for (const document of parseAllDocuments(await readFile(resource, 'utf8'))) {
    const object = document.toJS() as ManifestObject | null;
    if (object !== null) yield object;
  }
}
