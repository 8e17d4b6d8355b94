import path from 'node:path';
import { homeFolder } from './home.ts';
import { buildKustomization } from './kustomization.ts';
import { inOrder, type ManifestObject } from './manifest-object.ts';

/** All that an installation consists of. */
export interface Manifests {
  /** In the order in which they are applied; with Heddle's own definitions, without Istio's. */
  readonly base: readonly ManifestObject[];
  readonly istioDefinitions: readonly ManifestObject[];
}

/** Reads the manifests of this version. */
export async function readManifests(home: string = homeFolder()): Promise<Manifests> {
  const [base, istioDefinitions] = await Promise.all([
    buildKustomization(path.join(home, 'manifests/base')),
    buildKustomization(path.join(home, 'manifests/istio-crds')),
  ]);
  return { base: inOrder(base), istioDefinitions };
}
