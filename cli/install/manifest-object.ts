import type { KubeObject } from '../../kube/object.ts';
import { objectPath, type ResourceKind } from '../../kube/resource-kind.ts';

/** An object of the installation. */
export interface ManifestObject extends KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  metadata: NonNullable<KubeObject['metadata']> & { name: string };
  [field: string]: unknown;
}

/** Plurals of all kinds in manifests/, and whether they live in namespaces. The order is that in which they are applied. */
const KINDS: readonly (readonly [kind: string, plural: string, namespaced: boolean])[] = [
  ['Namespace', 'namespaces', false],
  ['CustomResourceDefinition', 'customresourcedefinitions', false],
  ['PriorityClass', 'priorityclasses', false],
  ['ServiceAccount', 'serviceaccounts', true],
  ['ClusterRole', 'clusterroles', false],
  ['ClusterRoleBinding', 'clusterrolebindings', false],
  ['Role', 'roles', true],
  ['RoleBinding', 'rolebindings', true],
  ['ConfigMap', 'configmaps', true],
  ['Service', 'services', true],
  ['PodDisruptionBudget', 'poddisruptionbudgets', true],
  ['Deployment', 'deployments', true],
  ['ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', false],
  // Last: from then on no pod of the mesh is made without the webhook.
  ['MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', false],
];

/**
 * The API's name of an object's kind.
 * @throws {RangeError} for a kind that no installation has
 */
export function kindOf({ apiVersion, kind }: Pick<ManifestObject, 'apiVersion' | 'kind'>): ResourceKind {
  const [, plural, namespaced] = KINDS.find(([name]) => name === kind) ?? [];
  if (plural === undefined || namespaced === undefined) throw new RangeError(`unknown kind ${apiVersion} ${kind}`);
  const slash = apiVersion.indexOf('/');
  return {
    group: apiVersion.slice(0, Math.max(0, slash)),
    version: apiVersion.slice(slash + 1),
    plural,
    kind,
    namespaced,
  };
}

/** The objects in the order in which they are applied. */
export function inOrder(objects: readonly ManifestObject[]): ManifestObject[] {
  const rank = ({ kind }: ManifestObject) => KINDS.findIndex(([name]) => name === kind);
  return [...objects].sort((a, b) => rank(a) - rank(b));
}

/** `Deployment heddle-system/heddle-operator`, for people. */
export function titleOf({ kind, metadata }: ManifestObject): string {
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`;
}

/** What tells objects apart, whatever the version: the path of their URL. */
export function pathOf(object: ManifestObject): string {
  return objectPath(kindOf(object), object.metadata);
}
