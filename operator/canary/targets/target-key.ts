import type { Canary } from '../../../api/canary.ts';
import type { KubeObject } from '../../../kube/object.ts';

/** A target by name. */
export interface TargetName {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  /** Key in the store of its kind, `namespace/name`. */
  readonly objectKey: string;
}

/** Key of a target, `namespace/Kind/name`. */
export function targetKey(namespace: string | undefined, kind: string, name: string | undefined): string {
  return `${namespace ?? ''}/${kind}/${name ?? ''}`;
}

/** The reverse of `targetKey`. */
export function readTargetKey(key: string): TargetName {
  const [namespace = '', kind = '', name = ''] = key.split('/');
  return { namespace, kind, name, objectKey: `${namespace}/${name}` };
}

/** Key of what a Canary names. */
export function targetOfCanary({ metadata, spec }: Canary): string {
  return targetKey(metadata.namespace, spec?.targetRef?.kind ?? 'Deployment', spec?.targetRef?.name);
}

/** Key of an object of a kind that can be a target. */
export function keyOfTarget(kind: string, { metadata }: KubeObject): string {
  return targetKey(metadata?.namespace, kind, metadata?.name);
}
