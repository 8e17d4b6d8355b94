/** Names one Kubernetes object. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** `kind/namespace/name`. */
export type ObjectKey = string;

/** The key under which the snapshot keeps an object. */
export function objectKey(ref: ObjectRef): ObjectKey {
  return `${ref.kind}/${ref.namespace}/${ref.name}`;
}

/** `namespace/name`, under which the objects of one kind are kept. */
export function namespacedName(key: ObjectKey): string {
  return key.slice(key.indexOf('/') + 1);
}
