import type { CanaryStatus } from '../../../api/canary-status.ts';
import { DAEMON_SET } from '../../../kube/kinds.ts';
import { type DaemonSet, REVISION_HASH_LABEL } from '../objects.ts';
import type { TargetView } from '../observation.ts';
import { isNodeReady } from '../pods.ts';
import { type BorrowableFields, isPauseApplied, pausedBy, type WantedFields } from './borrowed-fields.ts';
import { viewControllerRevisions } from './controller-revisions.ts';
import { isTried, refuseOnDelete, refuseOnlyPod } from './taken-pods.ts';
import { podsOf, reachableWeight } from './target-fitness.ts';
import type { TargetIndex } from './target-index.ts';
import type { TargetKind } from './target-kind.ts';

/** Nothing is borrowed while a revision is tried: a second pod on a node is for the user to allow (`maxSurge`), for ports and files may be in its way. */
export const DAEMON_SET_FIELDS: BorrowableFields = {
  fields: {},
  pause: { path: ['spec', 'updateStrategy', 'type'], value: 'OnDelete', standard: 'RollingUpdate' },
};

/** As many nodes as `maxUnavailable` says (one, by default) get a new pod in place of the old one; with `maxSurge`, beside it. */
export const daemonSet: TargetKind<DaemonSet> = {
  resource: DAEMON_SET,
  borrowable: DAEMON_SET_FIELDS,
  always: [],
  atRest: [refuseOnDelete, refuseOnlyPod],
  view,
  costs,
  wanted,
  inTheWay: () => [],
  leftWorking: () => [],
};

function view(target: DaemonSet, key: string, index: TargetIndex): TargetView {
  const { metadata, spec = {}, status = {} } = target;
  const { desiredNumberScheduled: replicas = 0, updatedNumberScheduled = 0, numberAvailable = 0 } = status;
  const owned = index.controllerRevisionsOf(key, target);
  const revisions = viewControllerRevisions(
    owned,
    index.podsOfTarget(key),
    ({ metadata: { labels } = {} }) => labels?.[REVISION_HASH_LABEL] ?? '',
    (node) => isNodeReady(index.stores.nodes.get(node)),
  );
  const observed = (status.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
  // The controller gives the revision of the present template the highest number, an old one that is back too.
  const newest = [...revisions.values()].reduce<{ ordinal: number; revision: string | undefined }>(
    (most, { ordinal, revision }) => (ordinal > most.ordinal ? { ordinal, revision } : most),
    { ordinal: 0, revision: undefined },
  );
  const current = observed ? newest.revision : undefined;
  const others = [...revisions.values()].filter(({ revision }) => revision !== current);
  const rolling = spec.updateStrategy?.rollingUpdate;
  const takesOut = podsOf(rolling?.maxUnavailable ?? 1, replicas, Math.ceil);
  return {
    kind: 'DaemonSet',
    replicas,
    strategy: spec.updateStrategy?.type ?? 'RollingUpdate',
    pausedBy: pausedBy(target, DAEMON_SET_FIELDS) === 'us' ? 'us' : undefined,
    pauseIsApplied: isPauseApplied(target, DAEMON_SET_FIELDS),
    resumedBy: 'setting spec.updateStrategy.type to RollingUpdate',
    current,
    revisions,
    rolledOut:
      current !== undefined &&
      [updatedNumberScheduled, numberAvailable].every((count) => count === replicas) &&
      others.every(({ pods }) => pods.total === 0),
    timedOut: false,
    minReadySeconds: spec.minReadySeconds ?? 0,
    takesOut,
    maxSurge: podsOf(rolling?.maxSurge ?? 0, replicas, Math.ceil),
    maxUnavailable: takesOut,
    progressDeadlineSeconds: Number.POSITIVE_INFINITY,
    mayTake: {},
  };
}

function costs(target: TargetView): string[] {
  const { replicas, takesOut } = target;
  if (replicas === 0) return [];
  const cut = `so weights are cut to ${reachableWeight(target)} %`;
  const tried =
    takesOut > 0
      ? `a new revision is tried on ${Math.min(takesOut, replicas)} of ${replicas} nodes, whose pods are taken out of the old one, ${cut}; an old pod that is evicted meanwhile comes back as one of the new revision`
      : `a new revision is tried on as many of ${replicas} nodes as maxSurge allows, ${cut}`;
  return [
    tried,
    'a DaemonSet has no progress deadline: kubectl rollout status waits for the verdict, and goes on waiting when the revision has failed (give it --timeout)',
    'a pod of a revision that was given up stays in its place, and one of a worker works on, until the template changes',
  ];
}

function wanted(status: CanaryStatus, _observation: unknown, target: TargetView): WantedFields {
  const ungated = status.conditions?.find(({ type }) => type === 'Ungated');
  return ungated?.status === 'True' && isTried(status.canaryRevision, target) ? { paused: true } : {};
}
