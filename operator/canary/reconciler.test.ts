import { beforeEach, describe, expect, test } from '@jest/globals';
import { BORROWED_ANNOTATION } from '../../api/borrowed-annotation.ts';
import type { Canary } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { CANARY, DEPLOYMENT, POD } from '../../kube/kinds.ts';
import { KubeError } from '../../kube/kube-error.ts';
import { silentLogger } from '../../kube/logger.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import type { Deployment, Pod } from './objects.ts';
import { specOf, traffic } from './observation.fixture.ts';
import { CanaryReconciler } from './reconciler.ts';
import { FIELD_MANAGER } from './targets/borrowed-fields.ts';
import { TargetIndex } from './targets/target-index.ts';
import { emptyStores } from './targets/targets.fixture.ts';

const KEY = 'shop/Deployment/ordering';
const namespace = 'shop';

let api: MemoryApi;
let stores: ReturnType<typeof emptyStores>;
let reconciler: CanaryReconciler;
let leading: boolean;
let discovered: boolean;
let events: string[];

beforeEach(() => {
  api = new MemoryApi();
  leading = true;
  discovered = true;
  events = [];
  stores = emptyStores();
  const deps = {
    stores,
    api,
    mesh: { coverage: () => ({ callers: 1, acknowledged: 1 }), addressed: () => ({ callers: 1, acknowledged: 1 }) },
    traffic: { window: () => traffic(1000) },
    alerts: { send: () => {} },
    hooks: { answer: () => undefined, want: () => {}, tell: () => {}, forget: () => {}, onAnswer: () => {} },
    templates: { answer: () => undefined, want: () => {} },
    usage: { ofNamespace: () => undefined },
    clusterDomain: 'cluster.local',
    isDiscovered: () => discovered,
    isLeader: () => leading,
    event: (canary: Canary, { reason }: { reason: string }) => events.push(`${canary.metadata.name}: ${reason}`),
    logger: silentLogger,
  };
  reconciler = new CanaryReconciler(deps, new TargetIndex(stores));
  stores.services.set({ metadata: { name: 'ordering', namespace }, spec: { selector: { app: 'ordering' } } });
});

async function addCanary(name = 'ordering', created = '2026-01-01T00:00:00Z', status?: CanaryStatus): Promise<void> {
  const canary = await api.create<Canary>(CANARY, {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'Canary',
    metadata: { name, namespace, creationTimestamp: created, generation: 1 },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'ordering' },
      progressDeadlineSeconds: 600,
      skipAnalysis: false,
      suspend: false,
      analysis: specOf({ threshold: 1, stepWeights: [50] }).analysis,
    },
    ...(status ? { status } : {}),
  });
  stores.canaries.set(canary);
}

async function addTarget(image = 'app:1', prepared = false): Promise<void> {
  const rollingUpdate = prepared ? { maxSurge: '50%', maxUnavailable: 0 } : { maxSurge: '25%', maxUnavailable: '25%' };
  const surge = { 'f:strategy': { 'f:rollingUpdate': { 'f:maxSurge': {}, 'f:maxUnavailable': {} } } };
  const deployment: Deployment = {
    metadata: {
      name: 'ordering',
      namespace,
      generation: 1,
      uid: 'deployment',
      ...(prepared ? { annotations: { [BORROWED_ANNOTATION]: '{}' } } : {}),
      managedFields: prepared ? [{ manager: FIELD_MANAGER, operation: 'Apply', fieldsV1: { 'f:spec': surge } }] : [],
    },
    spec: {
      replicas: 2,
      progressDeadlineSeconds: 600,
      template: template(image),
      strategy: { type: 'RollingUpdate', rollingUpdate },
    },
    status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
  };
  await api.create(DEPLOYMENT, deployment);
  stores.deployments.set(deployment);
}

const template = (image: string) => ({ metadata: { labels: { app: 'ordering' } }, spec: { image } });

function addReplicaSet(hash: string, image: string): void {
  const name = `ordering-${hash}`;
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'ordering', uid: 'deployment', controller: true };
  stores.replicaSets.set({
    metadata: { name, namespace, uid: name, labels: { 'pod-template-hash': hash }, ownerReferences: [owner] },
    spec: { replicas: 2, template: template(image) },
    status: { readyReplicas: 2 },
  });
}

async function addPod(hash: string, name: string, owned = true): Promise<void> {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: `ordering-${hash}`,
    uid: `ordering-${hash}`,
    controller: true,
  };
  const pod: Pod = {
    metadata: {
      name,
      namespace,
      labels: { 'pod-template-hash': hash },
      ...(owned ? { ownerReferences: [owner] } : {}),
    },
    spec: { readinessGates: [{ conditionType: 'heddle.dev/canary' }], initContainers: [{ name: 'istio-proxy' }] },
    status: { phase: 'Running', conditions: [{ type: 'ContainersReady', status: 'True' }] },
  };
  stores.pods.set(await api.create(POD, pod));
}

/** What was written, without what the test itself put there. */
const writes = () => api.writes.filter((write) => !write.startsWith('create'));

test('whose leader loses the lease while it opens gates has no status written by it', async () => {
  await addCanary('ordering', undefined, { phase: 'Initialized', stableRevision: 'aaa', ungatedRevisions: ['aaa'] });
  await addTarget();
  addReplicaSet('aaa', 'app:1');
  await addPod('aaa', 'a');
  api.fail = (verb, kind) => {
    if (verb === 'patch' && kind === POD) leading = false;
    return undefined;
  };
  await reconciler.reconcile(KEY);
  expect(writes()).toEqual(['patch Pod shop/a']);
});

describe('a target', () => {
  test('is prepared, and its pods are let go, status first', async () => {
    await addCanary();
    await addTarget();
    addReplicaSet('aaa', 'app:1');
    await addPod('aaa', 'one');
    await reconciler.reconcile(KEY);
    expect(writes()).toEqual(['apply Canary shop/ordering', 'patch Pod shop/one', 'apply Deployment shop/ordering']);
    const pod = await api.get<Pod>(POD, { name: 'one', namespace });
    expect(pod.status?.conditions).toEqual([expect.objectContaining({ type: 'heddle.dev/canary', status: 'True' })]);
    const deployment = await api.get<Deployment>(DEPLOYMENT, { name: 'ordering', namespace });
    expect(deployment.spec?.strategy?.rollingUpdate).toEqual({ maxSurge: '50%', maxUnavailable: 0 });
  });

  test('keeps the pods of a revision shut that is not released', async () => {
    await addCanary('ordering', '2026-01-01T00:00:00Z', {
      stableRevision: 'aaa',
      ungatedRevisions: ['aaa'],
      conditions: [ready('TargetReady')],
    });
    await addTarget('app:2', true);
    addReplicaSet('aaa', 'app:1');
    addReplicaSet('bbb', 'app:2');
    await addPod('aaa', 'old');
    await addPod('bbb', 'new');
    const deployment = stores.deployments.get('shop/ordering');
    if (deployment?.status) deployment.status.updatedReplicas = 1;
    await reconciler.reconcile(KEY);
    expect(writes()).toContain('patch Pod shop/old');
    expect(writes()).not.toContain('patch Pod shop/new');
    expect(events).toContain('ordering: NewRevision');
  });

  test('whose status cannot be written still lets released pods go', async () => {
    await addCanary('ordering', '2026-01-01T00:00:00Z', { stableRevision: 'aaa', ungatedRevisions: ['aaa'] });
    await addTarget();
    addReplicaSet('aaa', 'app:1');
    await addPod('aaa', 'one');
    api.fail = (_verb, kind) => (kind === CANARY ? new KubeError(422, 'Invalid', 'no') : undefined);
    await expect(reconciler.reconcile(KEY)).rejects.toThrow('no');
    expect(writes()).toEqual(['patch Pod shop/one']);
  });

  test('that no Canary names gets back what was borrowed, and all its gates opened', async () => {
    await addTarget('app:1', true);
    addReplicaSet('aaa', 'app:1');
    await addPod('aaa', 'one');
    await reconciler.reconcile(KEY);
    expect(writes()).toEqual(['patch Pod shop/one', 'apply Deployment shop/ordering']);
  });

  test('in a namespace that is not part of the mesh any more gets all back, and its Canary says why', async () => {
    await addCanary();
    await addTarget('app:1', true);
    addReplicaSet('aaa', 'app:1');
    await addPod('aaa', 'one');
    discovered = false;
    await reconciler.reconcile(KEY);
    const written = await api.get<Canary>(CANARY, { name: 'ordering', namespace });
    const ready = written.status?.conditions?.find(({ type }) => type === 'TargetReady');
    expect(ready).toMatchObject({ status: 'False', reason: 'NotDiscovered' });
    expect(ready?.message).toContain('discoverySelectors');
    expect(writes()).toContain('patch Pod shop/one');
    expect(writes()).toContain('apply Deployment shop/ordering');
  });

  test('that two Canaries name goes to the older one', async () => {
    await addCanary('late', '2026-01-02T00:00:00Z');
    await addCanary('early', '2026-01-01T00:00:00Z');
    await addTarget();
    addReplicaSet('aaa', 'app:1');
    await reconciler.reconcile(KEY);
    const late = await api.get<Canary>(CANARY, { name: 'late', namespace });
    expect(late.status?.stableRevision).toBeUndefined();
    expect(events).toContain('late: TargetConflict');
    const early = await api.get<Canary>(CANARY, { name: 'early', namespace });
    expect(early.status?.stableRevision).toBe('aaa');
  });
});

describe('a promotion', () => {
  /** A release that is to open its gates at the next look: all pods there, all requests on them, and acknowledged. */
  async function readyToOpen(): Promise<void> {
    await addCanary('ordering', '2026-01-01T00:00:00Z', {
      phase: 'Promoting',
      stableRevision: 'aaa',
      canaryRevision: 'bbb',
      ungatedRevisions: ['aaa'],
      target: 'ordering',
      step: 0,
      weight: 100,
      conditions: [ready('TargetReady')],
    });
    await addTarget('app:2', true);
    const deployment = stores.deployments.get('shop/ordering');
    if (deployment?.status) deployment.status.replicas = 4;
    addReplicaSet('aaa', 'app:1');
    addReplicaSet('bbb', 'app:2');
    for (const name of ['new-1', 'new-2']) await addPod('bbb', name);
  }

  test('lists the revision as released before the first gate opens', async () => {
    await readyToOpen();
    await reconciler.reconcile(KEY);
    expect(writes().slice(0, 3)).toEqual([
      'apply Canary shop/ordering',
      'patch Pod shop/new-1',
      'patch Pod shop/new-2',
    ]);
    const canary = await api.get<Canary>(CANARY, { name: 'ordering', namespace });
    expect(canary.status?.ungatedRevisions).toEqual(['aaa', 'bbb']);
  });

  test('opens no gate when that could not be written', async () => {
    await readyToOpen();
    api.fail = (_verb, kind) => (kind === CANARY ? new KubeError(503, 'ServiceUnavailable', 'no') : undefined);
    await expect(reconciler.reconcile(KEY)).rejects.toThrow('no');
    expect(writes()).toEqual([]);
  });

  test('that an operator began who was stopped before the gates opened is ended by the next, status or no status', async () => {
    await readyToOpen();
    await reconciler.reconcile(KEY);
    const canary = await api.get<Canary>(CANARY, { name: 'ordering', namespace });
    stores.canaries.set(canary);
    await addPod('bbb', 'new-3');
    api.writes.length = 0;
    api.fail = (_verb, kind) => (kind === CANARY ? new KubeError(503, 'ServiceUnavailable', 'no') : undefined);
    await reconciler.reconcile(KEY).catch(() => undefined);
    expect(writes()).toContain('patch Pod shop/new-3');
  });

  test('does not count on pods of a lost node', async () => {
    await readyToOpen();
    for (const pod of stores.pods.list()) pod.spec = { ...pod.spec, nodeName: 'node-1' };
    stores.nodes.set({ metadata: { name: 'node-1' }, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } });
    await reconciler.reconcile(KEY);
    expect(writes()).not.toContain('patch Pod shop/new-1');
    const canary = await api.get<Canary>(CANARY, { name: 'ordering', namespace });
    expect(canary.status).toMatchObject({ phase: 'Promoting', weight: 0 });
  });
});

describe('a replica', () => {
  test('that does not lead writes nothing', async () => {
    leading = false;
    await addCanary();
    await addTarget();
    addReplicaSet('aaa', 'app:1');
    await addPod('aaa', 'one');
    await reconciler.reconcile(KEY);
    expect(writes()).toEqual([]);
  });

  test('whose view of the Canary is old touches nothing else, and looks again', async () => {
    await addCanary();
    await addTarget();
    addReplicaSet('aaa', 'app:1');
    await addPod('aaa', 'one');
    api.fail = (verb, kind) =>
      verb === 'apply' && kind === CANARY ? new KubeError(409, 'Conflict', 'modified') : undefined;
    expect(await reconciler.reconcile(KEY)).toEqual({ requeueAfterMs: 50 });
    expect(writes()).toEqual([]);
    expect(events).toEqual([]);
  });

  test('goes on from what it wrote last while its store lags behind', async () => {
    await addCanary();
    await addTarget('app:1', true);
    addReplicaSet('aaa', 'app:1');
    await reconciler.reconcile(KEY);
    await reconciler.reconcile(KEY);
    expect(events).toEqual(['ordering: Initialized']);
    expect(writes().filter((write) => write === 'apply Canary shop/ordering')).toHaveLength(1);
  });
});

test('a held pod that belongs to no Deployment is let go', async () => {
  await addPod('aaa', 'orphan', false);
  await reconciler.releaseOrphan('shop/orphan');
  expect(writes()).toEqual(['patch Pod shop/orphan']);
});

function ready(type: string) {
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  return { type, status: 'True' as const, reason: 'Prepared', message: '', lastTransitionTime };
}
