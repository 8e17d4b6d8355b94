import type { V1Pod } from '@kubernetes/client-node';

/** What a pod belongs to. */
export interface Owner {
  readonly kind: string;
  readonly name: string;
}

/** Who makes ReplicaSets, by the label whose value ends their names: Kubernetes, and Argo Rollouts. */
const REPLICA_SET_MAKERS = [
  ['pod-template-hash', 'Deployment'],
  ['rollouts-pod-template-hash', 'Rollout'],
] as const;

/**
 * What a pod belongs to in the eyes of its user: the Deployment or Rollout behind a ReplicaSet (by the
 * ReplicaSet's name), the CronJob behind a Job, else the controller, else the pod itself. Same as Istio's `source_workload`.
 */
export function matchOwner({ metadata }: V1Pod): Owner {
  const controller = metadata?.ownerReferences?.find((reference) => reference.controller === true);
  if (controller === undefined) return { kind: 'Pod', name: metadata?.name ?? '' };
  const { kind, name } = controller;
  if (kind === 'ReplicaSet') {
    for (const [label, maker] of REPLICA_SET_MAKERS) {
      const suffix = `-${metadata?.labels?.[label] ?? ''}`;
      if (suffix !== '-' && name.endsWith(suffix)) return { kind: maker, name: name.slice(0, -suffix.length) };
    }
  }
  if (kind === 'Job') {
    // A CronJob names its Jobs after the minute of their schedule.
    const match = /^(.+)-\d{8,10}$/.exec(name);
    if (match?.[1] !== undefined) return { kind: 'CronJob', name: match[1] };
  }
  return { kind, name };
}
