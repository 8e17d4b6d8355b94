import { beforeEach, describe, expect, test } from '@jest/globals';
import { BORROWED_ANNOTATION } from '../../../api/borrowed-annotation.ts';
import type { Canary } from '../../../api/canary.ts';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import { CANARY, POD, STATEFUL_SET } from '../../../kube/kinds.ts';
import { silentLogger } from '../../../kube/logger.ts';
import { MemoryApi } from '../../../kube/testing/memory-api.ts';
import type { StatefulSet } from '../objects.ts';
import { traffic } from '../observation.fixture.ts';
import { CanaryReconciler } from '../reconciler.ts';
import { FIELD_MANAGER } from './borrowed-fields.ts';
import { TargetIndex } from './target-index.ts';
import { canaryOf, controllerRevisionOf, emptyStores, namespace, podOf, statefulSetOf } from './targets.fixture.ts';

const KIND = 'StatefulSet';
const OLD = 'ordering-old';
const NEW = 'ordering-new';

let api: MemoryApi;
let stores: ReturnType<typeof emptyStores>;
let reconciler: CanaryReconciler;
let now: number;
let load: number;

beforeEach(() => {
  api = new MemoryApi();
  stores = emptyStores();
  now = Date.UTC(2026, 0, 1);
  load = 0;
  const deps = {
    stores,
    api,
    mesh: { coverage: () => ({ callers: 1, acknowledged: 1 }), addressed: () => ({ callers: 1, acknowledged: 1 }) },
    traffic: { window: () => traffic(1000, load) },
    alerts: { send: () => {} },
    templates: { answer: () => undefined, want: () => {} },
    usage: { ofNamespace: () => undefined },
    hooks: { answer: () => undefined, want: () => {}, tell: () => {}, forget: () => {}, onAnswer: () => {} },
    clusterDomain: 'cluster.local',
    isDiscovered: () => true,
    isLeader: () => true,
    event: () => {},
    logger: silentLogger,
    now: () => now,
  };
  reconciler = new CanaryReconciler(deps, new TargetIndex(stores));
  stores.services.set({ metadata: { name: 'ordering', namespace }, spec: { selector: { app: 'ordering' } } });
  stores.controllerRevisions.set(controllerRevisionOf(KIND, 'old', 1));
});

async function target(object: StatefulSet): Promise<void> {
  if (stores.statefulSets.size > 0) await api.delete(STATEFUL_SET, { name: 'ordering', namespace });
  store(await api.create(STATEFUL_SET, object));
}

/** The API server in memory gives UIDs of its own, where pods and revisions name this one, and does not tell who applied what. */
function store({ metadata, ...object }: StatefulSet): void {
  const partition = { 'f:updateStrategy': { 'f:rollingUpdate': { 'f:partition': {} } } };
  const annotations = { 'f:annotations': { [`f:${BORROWED_ANNOTATION}`]: {} } };
  const fieldsV1 = { 'f:metadata': annotations, 'f:spec': partition };
  const borrowed = metadata?.annotations?.[BORROWED_ANNOTATION] !== undefined;
  const managedFields = borrowed ? [{ manager: FIELD_MANAGER, operation: 'Apply', fieldsV1 }] : [];
  stores.statefulSets.set({ ...object, metadata: { ...metadata, uid: 'target', managedFields } });
}

/** Pods by their numbers: the revision of each, with a `!` where our gate holds it. */
async function pods(...revisions: readonly string[]): Promise<void> {
  for (const pod of [...stores.pods.list()]) {
    stores.pods.delete(`${namespace}/${pod.metadata?.name}`);
    await api.delete(POD, { name: pod.metadata?.name ?? '', namespace });
  }
  for (const [number, revision] of revisions.entries()) {
    const held = revision.endsWith('!');
    const pod = podOf(KIND, `ordering-${number}`, revision.replace('!', ''), held ? 'shut' : undefined);
    stores.pods.set(await api.create(POD, pod));
  }
  api.writes.length = 0;
}

/** Has the controller look, as often as its store brings news of the Canary; gives the status. */
async function look(): Promise<CanaryStatus> {
  await reconciler.reconcile(`${namespace}/${KIND}/ordering`);
  const canary = await api.get<Canary>(CANARY, { name: 'ordering', namespace });
  stores.canaries.set(canary);
  store(await api.get<StatefulSet>(STATEFUL_SET, { name: 'ordering', namespace }));
  return canary.status ?? {};
}

const partition = () => stores.statefulSets.get('shop/ordering')?.spec?.updateStrategy?.rollingUpdate?.partition;
const deleted = () => api.writes.filter((write) => write.startsWith('delete Pod'));
const ready = ({ conditions = [] }: CanaryStatus) => conditions.find(({ type }) => type === 'TargetReady');

/** At rest with the old revision, and then told to become the new one. */
async function releasing(spec: object = {}, ofCanary: object = {}): Promise<void> {
  stores.canaries.set(await api.create(CANARY, canaryOf(KIND, undefined, ofCanary)));
  await target(statefulSetOf('old', { spec }));
  await pods(...Array.from({ length: (spec as { replicas?: number }).replicas ?? 4 }, () => OLD));
  await look();
  stores.controllerRevisions.set(controllerRevisionOf(KIND, 'new', 2));
  await target(statefulSetOf('new', { spec, status: { updatedReplicas: 1, availableReplicas: 3 } }));
}

describe('a StatefulSet', () => {
  test('at rest is not touched, and says with how many pods it tries a revision', async () => {
    await releasing();
    expect(api.writes).not.toContain('apply StatefulSet shop/ordering');
    const status = stores.canaries.get('shop/ordering')?.status ?? {};
    expect(status).toMatchObject({ phase: 'Initialized', stableRevision: OLD, target: 'StatefulSet/ordering' });
    expect(ready(status)).toMatchObject({ status: 'True', reason: 'PreparedInPart' });
    expect(ready(status)?.message).toContain(
      'tried with 1 of 4 pods, taken out of the old one, so weights are cut to 25 %',
    );
  });

  test('has its partition below the pod that is tried, and when pods are added the pod there gives way', async () => {
    await releasing();
    await pods(OLD, OLD, OLD, `${NEW}!`);
    expect(await look()).toMatchObject({ canaryRevision: NEW });
    expect(partition()).toBe(3);
    await look();
    expect(deleted()).toEqual([]);
    // Kubernetes has not looked at the change yet; what is held must stay held.
    const unobserved = { metadata: { generation: 3 }, spec: { replicas: 6 } };
    store(await api.patch(STATEFUL_SET, { name: 'ordering', namespace }, 'merge', unobserved));
    await look();
    expect(partition()).toBe(5);
    store(
      await api.patch(STATEFUL_SET, { name: 'ordering', namespace }, 'merge', { status: { observedGeneration: 3 } }),
    );
    await look();
    expect(partition()).toBe(5);
    await look();
    expect(deleted().at(-1)).toBe('delete Pod shop/ordering-3');
  });

  test.each([
    ['the template has changed again', 'third', 'ordering-third'],
    ['the template is the old one again', 'old', OLD],
  ])(
    'deletes the pod of a revision that was given up when %s, for Kubernetes waits for it',
    async (_, hash, current) => {
      await releasing();
      await pods(OLD, OLD, OLD, `${NEW}!`);
      await look();
      stores.controllerRevisions.set(controllerRevisionOf(KIND, hash, 3));
      await target(statefulSetOf(hash, { status: { updatedReplicas: 0, availableReplicas: 3 } }));
      await look();
      expect(stores.statefulSets.get('shop/ordering')?.status?.updateRevision).toBe(current);
      expect(deleted()).toEqual(['delete Pod shop/ordering-3']);
    },
  );

  test('is promoted with its partition given back and the gate open', async () => {
    await releasing();
    await pods(OLD, OLD, OLD, `${NEW}!`);
    await look();
    for (let step = 0; step < 2; step++) {
      now += 11_000;
      await look();
    }
    const status = await look();
    expect(status).toMatchObject({ phase: 'Promoting', weight: 25 });
    expect(status.ungatedRevisions).toContain(NEW);
    expect(api.writes).toContain('patch Pod shop/ordering-3');
    expect(deleted()).toEqual([]);
  });

  test('keeps a failed pod where it is, and the partition below it', async () => {
    load = 1000;
    await releasing();
    await pods(OLD, OLD, OLD, `${NEW}!`);
    await look();
    now += 11_000;
    expect(await look()).toMatchObject({ phase: 'Failed', weight: 0 });
    expect(partition()).toBe(3);
    await look();
    expect(deleted()).toEqual([]);
  });
});

describe('a StatefulSet of one pod', () => {
  const one = { replicas: 1 };

  test('is not tried', async () => {
    await releasing(one);
    await pods(OLD);
    expect(ready(await look())).toMatchObject({ status: 'False', reason: 'OnlyPod' });
  });

  test('is tried where that was opted for, and gets its old pod back when the new one has failed', async () => {
    load = 1000;
    await releasing(one, { takeOnlyPod: true });
    await pods(`${NEW}!`);
    expect(await look()).toMatchObject({ phase: 'Progressing', canaryRevision: NEW, ungatedRevisions: [OLD] });
    expect(partition()).toBe(0);
    now += 11_000;
    expect(await look()).toMatchObject({ phase: 'Failed' });
    expect(partition()).toBe(1);
    await look();
    expect(deleted()).toEqual(['delete Pod shop/ordering-0']);
  });
});

describe('a StatefulSet that cannot be tried', () => {
  test.each([
    ['OnDelete', { updateStrategy: { type: 'OnDelete' } }],
    ['PartitionSet', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }],
    ['OnlyPod', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: '100%' } } }],
  ])('says %s, with the field to change', async (reason, spec) => {
    await releasing(spec);
    const found = ready(stores.canaries.get('shop/ordering')?.status ?? {});
    expect(found).toMatchObject({ status: 'False', reason });
    expect(found?.message).toMatch(/spec\.|maxUnavailable/);
  });
});

test('a partition that was given back, and is absent since, is taken again', async () => {
  await releasing({ updateStrategy: { type: 'RollingUpdate' } });
  await pods(OLD, OLD, OLD, `${NEW}!`);
  await look();
  expect(partition()).toBe(3);
});

test('pods that came without gates stop the rollout by the partition', async () => {
  await releasing();
  await pods(OLD, OLD, OLD, NEW);
  const status = await look();
  expect(status.conditions?.find(({ type }) => type === 'Ungated')).toMatchObject({ status: 'True' });
  expect(partition()).toBe(2 ** 31 - 1);
});
