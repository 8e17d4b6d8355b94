import path from 'node:path';
import { homeFolder } from './home.ts';
import { buildKustomization, readKustomization } from './kustomization.ts';
import { inOrder, type ManifestObject } from './manifest-object.ts';

/** All that an installation consists of. */
export interface Manifests {
  /** In the order in which they are applied; with Heddle's own definitions, without Istio's. */
  readonly base: readonly ManifestObject[];
  readonly istioDefinitions: readonly ManifestObject[];
}

/** Reads the manifests of this version. */
export async function readManifests(home: string = homeFolder()): Promise<Manifests> {
  const [base, istioDefinitions] = await Promise.all([readBase(home), buildKustomization(istioFolder(home))]);
  return { base, istioDefinitions };
}

/** Those of Heddle alone, in the order in which they are applied. */
export async function readBase(home: string = homeFolder()): Promise<ManifestObject[]> {
  return inOrder(await buildKustomization(path.join(home, 'manifests/base')));
}

/** Those of Istio's definitions, one after the other: they are two thirds of all. */
export function readIstioDefinitions(home: string = homeFolder()): AsyncIterable<ManifestObject> {
  return readKustomization(istioFolder(home));
}

function istioFolder(home: string): string {
  return path.join(home, 'manifests/istio-crds');
}
