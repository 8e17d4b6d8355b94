import { beforeEach, expect, test } from '@jest/globals';
import type { Canary } from '../../api/canary.ts';
import { CANARY, DEPLOYMENT } from '../../kube/kinds.ts';
import { silentLogger } from '../../kube/logger.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import type { Deployment } from './objects.ts';
import { specOf, traffic } from './observation.fixture.ts';
import type { Coverage } from './observation.ts';
import { CanaryReconciler } from './reconciler.ts';
import { FIELD_MANAGER } from './targets/borrowed-fields.ts';
import { TargetIndex } from './targets/target-index.ts';
import { emptyStores, namespace } from './targets/targets.fixture.ts';

const KEY = 'shop/Deployment/ordering';
const named = { name: 'ordering', namespace };

let coverage: Coverage;
let reconciler: CanaryReconciler;
let asked: string[];
let add: (metrics: object[]) => Promise<void>;
const awaiting = (): string[] => [...reconciler.awaiting(new Set(['ui']))];

beforeEach(() => {
  asked = [];
  return prepare();
});

async function prepare(): Promise<void> {
  const api = new MemoryApi();
  const stores = emptyStores();
  coverage = { callers: 2, acknowledged: 1 };
  reconciler = new CanaryReconciler(
    {
      stores,
      api,
      mesh: { coverage: () => coverage, addressed: () => coverage },
      traffic: { window: () => traffic(1000) },
      alerts: { send: () => {} },
      hooks: { answer: () => undefined, want: () => {}, tell: () => {}, forget: () => {}, onAnswer: () => {} },
      templates: { answer: () => undefined, want: () => {} },
      usage: {
        ofNamespace: (of) => {
          asked.push(of);
          return undefined;
        },
      },
      clusterDomain: 'cluster.local',
      isDiscovered: () => true,
      isLeader: () => true,
      event: () => {},
      logger: silentLogger,
    },
    new TargetIndex(stores),
  );
  stores.services.set({ metadata: named, spec: { selector: { app: 'ordering' } } });
  const template = (image: string) => ({ metadata: { labels: { app: 'ordering' } }, spec: { image } });
  const surge = { 'f:strategy': { 'f:rollingUpdate': { 'f:maxSurge': {}, 'f:maxUnavailable': {} } } };
  const deployment: Deployment = {
    metadata: {
      ...named,
      uid: 'deployment',
      generation: 1,
      managedFields: [{ manager: FIELD_MANAGER, operation: 'Apply', fieldsV1: { 'f:spec': surge } }],
    },
    spec: {
      replicas: 2,
      template: template('app:2'),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '50%', maxUnavailable: 0 } },
    },
    status: { observedGeneration: 1, replicas: 3, updatedReplicas: 1, availableReplicas: 2 },
  };
  await api.create(DEPLOYMENT, deployment);
  stores.deployments.set(deployment);
  for (const [hash, image] of Object.entries({ aaa: 'app:1', bbb: 'app:2' })) {
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'ordering', uid: 'deployment', controller: true };
    const labels = { 'pod-template-hash': hash };
    stores.replicaSets.set({
      metadata: { name: `ordering-${hash}`, namespace, uid: hash, labels, ownerReferences: [owner] },
      spec: { replicas: 2, template: template(image) },
      status: { readyReplicas: 2 },
    });
    const set = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `ordering-${hash}`, uid: hash, controller: true };
    stores.pods.set({
      metadata: { name: hash, namespace, labels, ownerReferences: [set] },
      spec: { readinessGates: [{ conditionType: 'heddle.dev/canary' }], initContainers: [{ name: 'istio-proxy' }] },
      status: { phase: 'Running', conditions: [{ type: 'ContainersReady', status: 'True' }] },
    });
  }
  const ready = {
    type: 'TargetReady',
    status: 'True' as const,
    reason: 'Prepared',
    message: '',
    lastTransitionTime: '',
  };
  add = async (metrics) => {
    const canary = await api.create<Canary>(CANARY, {
      apiVersion: 'heddle.dev/v1alpha1',
      kind: 'Canary',
      metadata: { ...named, generation: 1 },
      spec: {
        ...specOf({ stepWeights: [50], metrics }),
        targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'ordering' },
      },
      status: { phase: 'Initialized', stableRevision: 'aaa', ungatedRevisions: ['aaa'], conditions: [ready] },
    });
    stores.canaries.set(canary);
  };
}

test('a target waits for acknowledgements while its weight is being put in force, and no longer', async () => {
  await add([]);
  expect(awaiting()).toEqual([]);
  await reconciler.reconcile(KEY);
  expect(awaiting()).toEqual([KEY]);
  await reconciler.reconcile(KEY);
  expect(awaiting()).toEqual([KEY]);
  coverage = { callers: 2, acknowledged: 2 };
  await reconciler.reconcile(KEY);
  expect(awaiting()).toEqual([KEY]);
  await reconciler.reconcile(KEY);
  expect(awaiting()).toEqual([]);
});

test('a target is woken by who makes a difference to it', async () => {
  await add([]);
  coverage = { callers: 2, acknowledged: 1, isWorthAsking: (uids) => uids.has('cart') };
  await reconciler.reconcile(KEY);
  await reconciler.reconcile(KEY);
  expect(awaiting()).toEqual([]);
  expect([...reconciler.awaiting(new Set(['ui', 'cart']))]).toEqual([KEY]);
});

test('what pods use is asked while the window of an analysis with such a metric is open, and of no other', async () => {
  coverage = { callers: 2, acknowledged: 2 };
  await add([{ name: 'request-success-rate', thresholdRange: { min: 99 } }]);
  for (let i = 0; i < 3; i++) await reconciler.reconcile(KEY);
  expect(asked).toEqual([]);
  await prepare();
  coverage = { callers: 2, acknowledged: 1 };
  await add([{ name: 'cpu-usage', thresholdRange: { max: 80 } }]);
  for (let i = 0; i < 3; i++) await reconciler.reconcile(KEY);
  expect(asked).toEqual([]);
  coverage = { callers: 2, acknowledged: 2 };
  for (let i = 0; i < 3; i++) await reconciler.reconcile(KEY);
  expect(new Set(asked)).toEqual(new Set([namespace]));
});
