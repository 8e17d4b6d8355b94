import type { CanaryStatus } from '../../../api/canary-status.ts';
import { DEPLOYMENT } from '../../../kube/kinds.ts';
import type { Deployment, ReplicaSet } from '../objects.ts';
import type { Observation, RevisionView, TargetView } from '../observation.ts';
import { countPods, isNodeReady } from '../pods.ts';
import { type BorrowableFields, fieldOwnership, isPauseApplied, pausedBy } from './borrowed-fields.ts';
import { isToStopWorking, wantedOfDeployment } from './deployment-wanted.ts';
import { findCurrent, ordinalOf, restartFingerprint, revisionOf } from './revisions.ts';
import { type Check, extraPods, podsOf, reachableWeight } from './target-fitness.ts';
import type { TargetIndex } from './target-index.ts';
import type { TargetKind } from './target-kind.ts';

export const DEPLOYMENT_FIELDS: BorrowableFields = {
  fields: {
    maxSurge: { path: ['spec', 'strategy', 'rollingUpdate', 'maxSurge'], standard: '25%' },
    maxUnavailable: { path: ['spec', 'strategy', 'rollingUpdate', 'maxUnavailable'], standard: '25%' },
    progressDeadlineSeconds: { path: ['spec', 'progressDeadlineSeconds'], standard: 600 },
  },
  pause: { path: ['spec', 'paused'], value: true, standard: false },
};

/** New pods stand beside the old ones: Kubernetes holds a rollout with `maxUnavailable: 0`, and `maxSurge` makes room. */
export const deployment: TargetKind<Deployment> = {
  resource: DEPLOYMENT,
  borrowable: DEPLOYMENT_FIELDS,
  always: [refuseRecreate, refuseAllUnavailable],
  atRest: [],
  view,
  costs,
  wanted: wantedOfDeployment,
  inTheWay: () => [],
  leftWorking,
};

function view(target: Deployment, key: string, index: TargetIndex): TargetView {
  const replicaSets = index.replicaSetsOf(key, target);
  const current = findCurrent(target, replicaSets);
  const { spec = {}, status = {} } = target;
  const rolling = spec.strategy?.rollingUpdate;
  const replicas = spec.replicas ?? 1;
  return {
    kind: 'Deployment',
    replicas,
    strategy: spec.strategy?.type ?? 'RollingUpdate',
    pausedBy: pausedBy(target, DEPLOYMENT_FIELDS),
    pauseIsApplied: isPauseApplied(target, DEPLOYMENT_FIELDS),
    resumedBy: 'kubectl rollout resume',
    current: current && revisionOf(current),
    revisions: new Map(replicaSets.map((replicaSet) => [revisionOf(replicaSet), viewRevision(replicaSet, index)])),
    rolledOut: isRolledOut(target, current, replicas),
    timedOut: (status.conditions ?? []).some(
      ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
    ),
    minReadySeconds: spec.minReadySeconds ?? 0,
    takesOut: 0,
    maxSurge: rolling?.maxSurge ?? '25%',
    maxUnavailable: rolling?.maxUnavailable ?? '25%',
    progressDeadlineSeconds: spec.progressDeadlineSeconds ?? 600,
    mayTake: fieldOwnership(target, DEPLOYMENT_FIELDS),
  };
}

/** Once the rollout is stopped: before that Kubernetes would make the pods anew. */
function leftWorking(
  status: CanaryStatus,
  observation: Observation,
  target: Deployment,
  key: string,
  index: TargetIndex,
): readonly ReplicaSet[] {
  const view = observation.target;
  if (view?.pausedBy !== 'us' || !isToStopWorking(status, observation, view)) return [];
  const current = findCurrent(target, index.replicaSetsOf(key, target));
  return current !== undefined && (current.spec?.replicas ?? 0) > 0 ? [current] : [];
}

function viewRevision(replicaSet: ReplicaSet, index: TargetIndex): RevisionView {
  return {
    revision: revisionOf(replicaSet),
    ordinal: ordinalOf(replicaSet),
    replicas: replicaSet.spec?.replicas ?? 0,
    ready: replicaSet.status?.readyReplicas ?? 0,
    restartFingerprint: restartFingerprint(replicaSet.spec?.template),
    pods: countPods(index.podsOf(replicaSet), (node) => isNodeReady(index.stores.nodes.get(node))),
  };
}

function isRolledOut({ metadata, status }: Deployment, current: ReplicaSet | undefined, replicas: number): boolean {
  if (!current || (status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return false;
  const { replicas: all = 0, updatedReplicas = 0, availableReplicas = 0 } = status ?? {};
  const ofCurrent = current.spec?.replicas ?? 0;
  return [all, updatedReplicas, availableReplicas, ofCurrent].every((count) => count === replicas);
}

function refuseRecreate({ strategy }: TargetView, { targetTitle }: Parameters<Check>[1]): ReturnType<Check> {
  if (strategy !== 'Recreate') return undefined;
  return {
    reason: 'TargetUnsupported',
    message: `spec.strategy.type of ${targetTitle} is Recreate, which stops the old pods before the new ones are tried; set it to RollingUpdate`,
  };
}

function refuseAllUnavailable(target: TargetView, { targetTitle }: Parameters<Check>[1]): ReturnType<Check> {
  const { mayTake, maxUnavailable, replicas } = target;
  if (mayTake.maxUnavailable || replicas === 0) return undefined;
  if (podsOf(maxUnavailable, replicas, Math.floor) < replicas) return undefined;
  return {
    reason: 'TargetUnsupported',
    message: `maxUnavailable ${maxUnavailable} of ${targetTitle} lets all its ${replicas} pods go before the new ones are tried; lower it or leave it out`,
  };
}

function costs(target: TargetView): string[] {
  const said: string[] = [];
  const { mayTake, replicas, maxUnavailable, maxSurge, progressDeadlineSeconds } = target;
  const missing = podsOf(maxUnavailable, replicas, Math.floor);
  if (replicas === 0) {
    said.push(
      'it is scaled to 0: Kubernetes starts the newest template again, also one that was given up, with no pod of another beside it, so a revision that comes now is released untried; keep one pod or more (minReplicas, or minReplicaCount of a ScaledObject) where that must not be',
    );
  }
  if (!mayTake.maxUnavailable && missing > 0) {
    said.push(
      `maxUnavailable ${maxUnavailable} is set in the manifest: while a revision is tried, ${missing} of ${replicas} pods of the old one are missing`,
    );
  }
  if (!mayTake.maxSurge && reachableWeight(target) < 100) {
    said.push(
      `maxSurge ${maxSurge} is set in the manifest: ${extraPods(target)} of ${replicas} pods can be tried, so weights are cut to ${reachableWeight(target)} %`,
    );
  }
  if (!mayTake.progressDeadlineSeconds) {
    said.push(
      `progressDeadlineSeconds ${progressDeadlineSeconds} is set in the manifest: kubectl rollout status gives up after that, whatever the analysis says`,
    );
  }
  if (target.pauseIsApplied && target.pausedBy !== 'user') {
    said.push(
      'spec.paused is set in the manifest: when pods come without gates the operator pauses the rollout, each apply undoes that, and Argo CD shows it as out of sync; leave the field out',
    );
  }
  return said;
}
