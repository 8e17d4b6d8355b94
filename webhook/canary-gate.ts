import type { V1Pod } from '@kubernetes/client-node';
import type { Canary } from '../api/canary.ts';
import { podOwner } from './inject/workload.ts';

/** Condition by which the operator says that a Canary's target is prepared and in the mesh. */
export const TARGET_READY = 'TargetReady';

/** Index of Canaries: `NAMESPACE/KIND/NAME` of the target. */
export const TARGET_INDEX = 'target';

/** Values of a Canary for the index. */
export function canaryTargets({ metadata, spec }: Canary): string[] {
  return [`${metadata.namespace}/${spec.targetRef.kind}/${spec.targetRef.name}`];
}

/**
 * Whether a pod is to be held back by the readiness gate: a Canary targets what it belongs to, has been prepared, knows its released
 * revisions, and this one is not among them. Whatever is unknown means no gate: a gate that nobody opens would hold up a release.
 * @param find Canaries by target
 */
export function isGated(pod: V1Pod, namespace: string, find: (target: string) => readonly Canary[]): boolean {
  const owner = podOwner(pod);
  const revision = owner?.revision;
  if (!owner || !revision) return false;
  return find(`${namespace}/${owner.kind}/${owner.name}`).some((canary) => {
    const released = canary.status?.ungatedRevisions ?? [];
    return isPrepared(canary) && canary.metadata.deletionTimestamp === undefined && !released.includes(revision);
  });
}

/** Whether the operator has said that a Canary's target is prepared, and which revisions are released. */
export function isPrepared({ status }: Canary): boolean {
  const isReady = status?.conditions?.some(({ type, status: value }) => type === TARGET_READY && value === 'True');
  return isReady === true && (status?.ungatedRevisions ?? []).length > 0;
}
