import type { CanaryStatus } from '../../../api/canary-status.ts';
import { STATEFUL_SET } from '../../../kube/kinds.ts';
import { type Pod, revisionOfPod, type StatefulSet } from '../objects.ts';
import type { Observation, TargetView } from '../observation.ts';
import { isHeld, isNodeReady } from '../pods.ts';
import {
  type BorrowableFields,
  fieldOwnership,
  isPauseApplied,
  pausedBy,
  type WantedFields,
} from './borrowed-fields.ts';
import { viewControllerRevisions } from './controller-revisions.ts';
import { isTried, refuseOnDelete, refuseOnlyPod } from './taken-pods.ts';
import { type Check, podsOf, reachableWeight } from './target-fitness.ts';
import type { TargetIndex } from './target-index.ts';
import type { TargetKind } from './target-kind.ts';

const PARTITION = ['spec', 'updateStrategy', 'rollingUpdate', 'partition'];

export const STATEFUL_SET_FIELDS: BorrowableFields = {
  fields: { partition: { path: PARTITION, standard: 0 } },
  pause: { path: PARTITION, value: 2 ** 31 - 1, standard: 0 },
};

/**
 * A new pod takes the place of an old one: that of the highest number first, and Kubernetes waits until it is Ready. While one is tried the
 * partition stands below it, so that a pod of the old revision that is evicted, or added, comes as one of the old revision.
 */
export const statefulSet: TargetKind<StatefulSet> = {
  resource: STATEFUL_SET,
  borrowable: STATEFUL_SET_FIELDS,
  always: [],
  atRest: [refuseOnDelete, refusePartition, refuseOnlyPod],
  view,
  costs,
  wanted,
  inTheWay,
  leftWorking: () => [],
};

function view(target: StatefulSet, key: string, index: TargetIndex): TargetView {
  const { spec = {}, status = {} } = target;
  const replicas = spec.replicas ?? 1;
  const pods = index.podsOfTarget(key);
  const current = isObserved(target) ? status.updateRevision : undefined;
  const revisions = viewControllerRevisions(
    index.controllerRevisionsOf(key, target),
    pods,
    ({ metadata }) => metadata?.name ?? '',
    (node) => isNodeReady(index.stores.nodes.get(node)),
  );
  const takesOut = podsOf(spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, replicas, Math.ceil);
  const { replicas: all = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  return {
    kind: 'StatefulSet',
    replicas,
    strategy: spec.updateStrategy?.type ?? 'RollingUpdate',
    pausedBy: pausedBy(target, STATEFUL_SET_FIELDS),
    pauseIsApplied: isPauseApplied(target, STATEFUL_SET_FIELDS),
    resumedBy: 'setting spec.updateStrategy.rollingUpdate.partition to 0',
    current: revisions.has(current ?? '') ? current : undefined,
    revisions,
    rolledOut: current !== undefined && [all, updatedReplicas, availableReplicas].every((count) => count === replicas),
    timedOut: false,
    minReadySeconds: spec.minReadySeconds ?? 0,
    takesOut,
    partition: spec.updateStrategy?.rollingUpdate?.partition ?? 0,
    maxSurge: 0,
    maxUnavailable: takesOut,
    progressDeadlineSeconds: Number.POSITIVE_INFINITY,
    mayTake: fieldOwnership(target, STATEFUL_SET_FIELDS),
  };
}

function isObserved({ metadata, status }: StatefulSet): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
}

function refusePartition(target: TargetView, { targetTitle }: Parameters<Check>[1]): ReturnType<Check> {
  const { partition = 0, mayTake, pausedBy: paused } = target;
  if (partition === 0 || mayTake.partition || paused === 'us') return undefined;
  return {
    reason: 'PartitionSet',
    message: `spec.updateStrategy.rollingUpdate.partition of ${targetTitle} is ${partition}, which keeps pods from a release that has passed; remove it, the Canary holds releases by itself`,
  };
}

function costs(target: TargetView): string[] {
  const { replicas, takesOut, mayTake } = target;
  if (replicas === 0) return [];
  const taken = `${Math.min(takesOut, replicas)} of ${replicas} pods`;
  const said = [
    `a StatefulSet has no pods to spare: a new revision is tried with ${taken}, taken out of the old one, so weights are cut to ${reachableWeight(target)} %`,
    `a StatefulSet has no progress deadline: kubectl rollout status waits for the verdict, and goes on waiting when the revision has failed (give it --timeout)`,
  ];
  if (!mayTake.partition) {
    said.push(
      'spec.updateStrategy.rollingUpdate.partition is set in the manifest: while a revision is tried, a pod that is evicted or added may come as one of the new revision',
    );
  }
  return said;
}

/** While nothing is tried the partition is 0, or `kubectl rollout status` would call a release done that has not begun. */
function wanted(status: CanaryStatus, { spec }: Observation, target: TargetView): WantedFields {
  const { canaryRevision, ungatedRevisions = [], phase } = status;
  if (!isTried(canaryRevision, target) || ungatedRevisions.includes(canaryRevision ?? '')) return {};
  const ungated = status.conditions?.find(({ type }) => type === 'Ungated');
  if (ungated?.status === 'True') return { paused: true };
  const all = target.takesOut >= target.replicas;
  const isWorker = spec?.analysis.traffic === 'None';
  // Where it was the only pod, to keep a failed one for a look would be an outage; one of a worker would work on.
  const back = phase === 'Failed' ? all || isWorker : all && spec?.takeOnlyPod !== true;
  return { partition: back ? target.replicas : target.replicas - target.takesOut };
}

/**
 * Pods of revisions that are neither stable nor current, which a StatefulSet waits for when its template has changed or is the old one again;
 * and pods of the new revision below the partition: those are where scaling left them, and it would wait for them before it adds others.
 */
function inTheWay(status: CanaryStatus, target: StatefulSet, pods: readonly Pod[]): readonly Pod[] {
  const current = isObserved(target) ? target.status?.updateRevision : undefined;
  if (status.stableRevision === undefined || current === undefined) return [];
  const partition = target.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  const start = target.spec?.ordinals?.start ?? 0;
  const released = new Set(status.ungatedRevisions);
  return pods.filter((pod) => {
    const revision = revisionOfPod(pod);
    if (!isHeld(pod) || pod.metadata?.deletionTimestamp !== undefined || released.has(revision)) return false;
    return revision !== current || ordinalOf(pod) - start < partition;
  });
}

function ordinalOf({ metadata }: Pod): number {
  return Number(/-(\d+)$/.exec(metadata?.name ?? '')?.[1] ?? Number.NaN);
}
