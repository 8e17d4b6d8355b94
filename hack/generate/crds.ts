import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { CustomResource } from '../../api/custom-resource.ts';
import type { PrinterColumn } from '../../api/printer-columns.ts';
import { CUSTOM_RESOURCES } from '../../api/registry.ts';
import { structuralSchema } from './crd-schema.ts';

/** Where the CRDs of each owner lie, from the top of the checkout. */
const FOLDERS: Readonly<Record<CustomResource['owner'], string>> = {
  heddle: 'manifests/base/crds',
  istio: 'manifests/istio-crds',
};

const HEADER = '# Generated from api/ by `npm run generate`; edit the schema there.\n';

/**
 * Makes the files of all CRDs, with the kustomization that lists them.
 * @returns path from the top of the checkout → content
 */
export function crdFiles(resources: readonly CustomResource[] = CUSTOM_RESOURCES): Map<string, string> {
  const files = new Map<string, string>();
  const names = new Map<string, string[]>(Object.values(FOLDERS).map((folder) => [folder, []]));
  for (const resource of resources) {
    const folder = FOLDERS[resource.owner];
    const name = `${resource.group}_${resource.plural}.yaml`;
    files.set(`${folder}/${name}`, HEADER + stringify(crd(resource), { lineWidth: 120 }));
    names.get(folder)?.push(name);
  }
  for (const [folder, listed] of names) {
    const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources: listed };
    files.set(`${folder}/kustomization.yaml`, HEADER + stringify(kustomization));
  }
  return files;
}

/**
 * Writes all CRDs below `root`, and removes generated files whose resource is gone.
 * @param root top of the checkout
 */
export async function generateCrds(root: string = join(import.meta.dirname, '../..')): Promise<void> {
  const files = crdFiles();
  for (const folder of Object.values(FOLDERS)) {
    await mkdir(join(root, folder), { recursive: true });
    for (const name of await readdir(join(root, folder))) {
      if (!files.has(`${folder}/${name}`)) await rm(join(root, folder, name));
    }
  }
  for (const [path, content] of files) await writeFile(join(root, path), content);
}

function crd(resource: CustomResource): object {
  const { group, kind, plural, singular, shortNames, categories, versions } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: { 'app.kubernetes.io/part-of': 'heddle' },
      // The definitions hold the users' objects: a Helm release that goes must leave them.
      annotations: { 'helm.sh/resource-policy': 'keep' },
    },
    spec: {
      group,
      scope: resource.scope ?? 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories },
      // One object for all versions would become a YAML alias, which kubectl reads but people do not.
      versions: versions.map((name, index) => version(resource, name, index === 0)),
      conversion: { strategy: 'None' },
    },
  };
}

function version(resource: CustomResource, name: string, storage: boolean): object {
  return {
    name,
    served: true,
    storage,
    ...(resource.status ? { subresources: { status: {} } } : {}),
    additionalPrinterColumns: resource.columns.map(printerColumn),
    schema: {
      openAPIV3Schema: {
        description: resource.description,
        type: 'object',
        ...(resource.specRequired ? { required: ['spec'] } : {}),
        properties: {
          spec: structuralSchema(resource.spec),
          ...(resource.status ? { status: structuralSchema(resource.status) } : {}),
        },
      },
    },
  };
}

function printerColumn({ name, type, jsonPath, description, wide }: PrinterColumn): object {
  return { name, type, jsonPath, description, ...(wide === true ? { priority: 1 } : {}) };
}
