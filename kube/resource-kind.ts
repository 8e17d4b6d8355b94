import type { ObjectName } from './object.ts';

/** A resource of the Kubernetes API: all that is needed to form its URLs. */
export interface ResourceKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** `apiVersion` of a kind's objects: `v1`, `apps/v1`. */
export function apiVersionOf(kind: ResourceKind): string {
  return kind.group ? `${kind.group}/${kind.version}` : kind.version;
}

/**
 * URL path of a collection.
 * @param namespace all namespaces when undefined; ignored for cluster-scoped kinds
 */
export function collectionPath(kind: ResourceKind, namespace?: string): string {
  const base = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
  const scope = kind.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${base}${scope}/${kind.plural}`;
}

/**
 * URL path of one object, or of one of its subresources (`status`, `token`, `eviction`).
 * @throws {RangeError} when the name is missing, or the namespace of a namespaced kind
 */
export function objectPath(kind: ResourceKind, name: ObjectName, subresource?: string): string {
  if (!name.name) throw new RangeError(`metadata.name of ${kind.kind} is missing`);
  if (kind.namespaced && !name.namespace) throw new RangeError(`metadata.namespace of ${kind.kind} is missing`);
  const path = `${collectionPath(kind, name.namespace)}/${encodeURIComponent(name.name)}`;
  return subresource ? `${path}/${subresource}` : path;
}
