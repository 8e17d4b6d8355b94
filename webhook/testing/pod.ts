import type { V1Pod } from '@kubernetes/client-node';

/** A pod of one container. */
export function pod(spec: Partial<NonNullable<V1Pod['spec']>> = {}, metadata: V1Pod['metadata'] & {} = {}): V1Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec } };
}
