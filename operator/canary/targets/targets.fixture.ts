import type { Canary } from '../../../api/canary.ts';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import { Store } from '../../../kube/store.ts';
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  Node,
  Pod,
  ReplicaSet,
  Service,
  StatefulSet,
} from '../objects.ts';
import type { Autoscaler } from './autoscaler.ts';

export const namespace = 'shop';

/** Empty stores of all kinds that a canary reads. */
export function emptyStores() {
  return {
    canaries: new Store<Canary>(),
    deployments: new Store<Deployment>(),
    replicaSets: new Store<ReplicaSet>(),
    statefulSets: new Store<StatefulSet>(),
    daemonSets: new Store<DaemonSet>(),
    controllerRevisions: new Store<ControllerRevision>(),
    autoscalers: new Store<Autoscaler>(),
    pods: new Store<Pod>(),
    services: new Store<Service>(),
    nodes: new Store<Node>(),
  };
}

const owner = (kind: string) => ({ apiVersion: 'apps/v1', kind, name: 'ordering', uid: 'target', controller: true });
const template = { metadata: { labels: { app: 'ordering' } } };

/** A StatefulSet of 4 pods that is told to become `revision`. */
export function statefulSetOf(revision: string, more: { spec?: object; status?: object } = {}): StatefulSet {
  return {
    metadata: { name: 'ordering', namespace, uid: 'target', generation: 2, managedFields: [] },
    spec: {
      replicas: 4,
      template,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      ...more.spec,
    },
    status: {
      observedGeneration: 2,
      replicas: 4,
      updatedReplicas: 4,
      availableReplicas: 4,
      updateRevision: `ordering-${revision}`,
      ...more.status,
    },
  };
}

/** A DaemonSet on 4 nodes. */
export function daemonSetOf(more: { spec?: object; status?: object } = {}): DaemonSet {
  return {
    metadata: { name: 'ordering', namespace, uid: 'target', generation: 2, managedFields: [] },
    spec: {
      template,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      ...more.spec,
    },
    status: {
      observedGeneration: 2,
      desiredNumberScheduled: 4,
      updatedNumberScheduled: 4,
      numberAvailable: 4,
      ...more.status,
    },
  };
}

/** A revision as the API server has it: a StatefulSet's pods bear its name, a DaemonSet's the hash in its label. */
export function controllerRevisionOf(kind: string, hash: string, revision: number, image = hash): ControllerRevision {
  return {
    metadata: {
      name: `ordering-${hash}`,
      namespace,
      uid: hash,
      labels: { 'controller-revision-hash': hash },
      ownerReferences: [owner(kind)],
    },
    revision,
    data: { spec: { template: { ...template, spec: { image } } } },
  };
}

/** An injected pod; `gate` is how its readiness gate stands, if it has one. */
export function podOf(kind: string, name: string, revision: string, gate?: 'shut' | 'open'): Pod {
  const yes = (type: string) => ({ type, status: 'True' });
  const serves = gate !== 'shut';
  return {
    metadata: {
      name,
      namespace,
      uid: name,
      labels: { app: 'ordering', 'controller-revision-hash': revision },
      ownerReferences: [owner(kind)],
    },
    spec: {
      readinessGates: gate ? [{ conditionType: 'heddle.dev/canary' }] : [],
      initContainers: [{ name: 'istio-proxy' }],
    },
    status: {
      phase: 'Running',
      conditions: [
        yes('ContainersReady'),
        ...(serves ? [yes('Ready')] : []),
        ...(gate === 'open' ? [yes('heddle.dev/canary')] : []),
      ],
    },
  };
}

/** A Canary of `ordering` with a status. */
export function canaryOf(kind: string, status?: CanaryStatus, spec: object = {}): Canary {
  return {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'Canary',
    metadata: { name: 'ordering', namespace, generation: 1 },
    spec: {
      targetRef: { kind, name: 'ordering' },
      analysis: { interval: '10s', threshold: 1, stepWeights: [10, 50] },
      ...spec,
    } as unknown as Canary['spec'],
    ...(status ? { status } : {}),
  };
}
