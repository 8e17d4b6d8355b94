import { createHash } from 'node:crypto';
import { OPERATOR_SERVICE, WEBHOOK_SERVICE } from '../../proxy/names.ts';
import type { ManifestObject } from './manifest-object.ts';
import { type Choices, mergeSettings, writeSettings } from './settings.ts';

/** ConfigMap with the mesh's settings, and its one key. */
export const MESH_CONFIG_MAP = 'heddle-mesh';
export const MESH_FILE = 'mesh.yaml';
/** Annotation of that ConfigMap with the user's choices, as JSON. */
export const CHOICES_ANNOTATION = 'heddle.dev/choices';
/** Label of the Deployments with the version that was installed. */
export const VERSION_LABEL = 'app.kubernetes.io/version';
/** Annotation of the pods: a change of the settings makes them anew, as they are read at the start. */
export const SETTINGS_ANNOTATION = 'heddle.dev/settings';

interface DeploymentObject extends ManifestObject {
  spec: {
    replicas?: number;
    template: {
      metadata: { annotations?: Record<string, string> };
      spec: { containers: { image?: string }[] };
    };
  };
}

/**
 * The objects as a user wants them.
 * @param replicas of each Deployment that has others than those of the manifests
 * @throws {CliError} naming settings that are wrong
 */
export function customize(
  objects: readonly ManifestObject[],
  choices: Choices,
  version: string,
  replicas: Readonly<Record<string, number>> = {},
): ManifestObject[] {
  const { image } = choices;
  // The init container's program is in our own image.
  const own = image === undefined ? {} : { proxy: { initImage: image } };
  const settings = mergeSettings(own, choices.settings);
  const configMap = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === MESH_CONFIG_MAP);
  const shipped = (configMap?.data as Record<string, string> | undefined)?.[MESH_FILE] ?? '';
  const text = writeSettings(shipped, settings);
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return objects.map((object) => {
    const changed = structuredClone(object);
    if (object === configMap) {
      changed.data = { [MESH_FILE]: text };
      changed.metadata.annotations = { [CHOICES_ANNOTATION]: JSON.stringify(choices) };
    }
    if (changed.kind === 'Deployment') {
      changed.metadata.labels = { ...changed.metadata.labels, [VERSION_LABEL]: version };
      customizeDeployment(changed as DeploymentObject, choices, digest, replicas);
    }
    return changed;
  });
}

function customizeDeployment(
  { metadata, spec }: DeploymentObject,
  { image, replicas }: Choices,
  digest: string,
  present: Readonly<Record<string, number>>,
): void {
  const { template } = spec;
  template.metadata.annotations = { ...template.metadata.annotations, [SETTINGS_ANNOTATION]: digest };
  if (image !== undefined) for (const container of template.spec.containers) container.image = image;
  const count = (metadata.name === OPERATOR_SERVICE ? replicas : undefined) ?? present[metadata.name];
  if (count !== undefined) spec.replicas = count;
}

/** The Deployments of the control plane. */
export const DEPLOYMENTS: readonly string[] = [OPERATOR_SERVICE, WEBHOOK_SERVICE];
