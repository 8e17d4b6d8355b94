import { type Canary, type CanarySpec, canarySpec } from '../../api/canary.ts';
import { undiscoveredMessage } from '../../api/discovery.ts';
import type { TrafficAnswer } from '../telemetry/traffic.ts';
import { fieldOwnership, pausedBy } from './borrowed-fields.ts';
import type { Deployment, ReplicaSet } from './objects.ts';
import type { Observation, RevisionView, TargetView } from './observation.ts';
import { countPods, isNodeReady } from './pods.ts';
import type { CanaryDependencies } from './ports.ts';
import { findCurrent, ordinalOf, restartFingerprint, revisionOf } from './revisions.ts';
import type { TargetIndex } from './target-index.ts';

/** Reads a Canary's spec with its defaults; gives the problems, each after the path of its field, when it is not valid. */
export function readSpec(canary: Canary): { spec: CanarySpec | undefined; problems: readonly string[] } {
  const result = canarySpec.safeParse(canary.spec);
  if (result.success) return { spec: result.data, problems: [] };
  const problems = result.error.issues.map(({ path, message }) => `${['spec', ...path].join('.')}: ${message}`);
  return { spec: undefined, problems };
}

/**
 * Gathers all that the phase machine looks at.
 * @param key of the target, `namespace/name`
 * @param rival name of the Canary that has the target already
 */
export function observe(
  canary: Canary,
  key: string,
  rival: string | undefined,
  index: TargetIndex,
  deps: Pick<CanaryDependencies, 'mesh' | 'traffic' | 'clusterDomain' | 'isDiscovered' | 'now'>,
): Observation {
  const now = (deps.now ?? Date.now)();
  const { namespace, name, generation = 0 } = canary.metadata;
  const deployment = index.stores.deployments.get(key);
  const services = deployment ? index.servicesOf(deployment).map(({ metadata }) => metadata?.name ?? '') : [];
  const hostnames = services.map((service) => `${service}.${namespace}.svc.${deps.clusterDomain}`);
  const stable = canary.status?.stableRevision ?? '';
  return {
    now,
    generation,
    ...readSpec(canary),
    targetName: canary.spec?.targetRef?.name ?? '',
    undiscovered: deps.isDiscovered(namespace) ? undefined : undiscoveredMessage(namespace),
    rival,
    target: deployment && viewTarget(key, deployment, index),
    services,
    coverage: (next, weight) =>
      deps.mesh.coverage({ namespace, canary: name, services: hostnames, stable, next, weight }),
    traffic: (revision, since): TrafficAnswer =>
      deps.traffic.window({ namespace, services: hostnames, revision, since, until: now }),
  };
}

function viewTarget(key: string, deployment: Deployment, index: TargetIndex): TargetView {
  const replicaSets = index.replicaSetsOf(key, deployment);
  const current = findCurrent(deployment, replicaSets);
  const { spec = {}, status = {} } = deployment;
  const rolling = spec.strategy?.rollingUpdate;
  const replicas = spec.replicas ?? 1;
  const revisions = new Map(replicaSets.map((replicaSet) => [revisionOf(replicaSet), viewRevision(replicaSet, index)]));
  return {
    replicas,
    strategy: spec.strategy?.type ?? 'RollingUpdate',
    pausedBy: pausedBy(deployment),
    current: current && revisionOf(current),
    revisions,
    rolledOut: isRolledOut(deployment, current, replicas),
    timedOut: (status.conditions ?? []).some(
      ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
    ),
    minReadySeconds: spec.minReadySeconds ?? 0,
    maxSurge: rolling?.maxSurge ?? '25%',
    maxUnavailable: rolling?.maxUnavailable ?? '25%',
    progressDeadlineSeconds: spec.progressDeadlineSeconds ?? 600,
    mayTake: fieldOwnership(deployment),
  };
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
