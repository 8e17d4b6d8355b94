import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Canary } from '../../api/canary.ts';
import { CANARY, DEPLOYMENT, POD } from '../../kube/kinds.ts';
import { KubeError } from '../../kube/kube-error.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { applyBorrowing, deletePods, openGates, writeStatus } from './effects.ts';
import type { Deployment, Pod, Target } from './objects.ts';
import { specOf } from './observation.fixture.ts';
import { LAST_APPLIED } from './targets/borrowed-fields.ts';
import { targetKind } from './targets/registry.ts';

const named = { name: 'ordering-0', namespace: 'shop' };
let api: MemoryApi;
beforeEach(() => {
  api = new MemoryApi();
});

/** What a store still has of an object in whose place another of its name is by now. */
async function replaced<T extends Pod | Target>(kind: typeof POD): Promise<T> {
  const before = await api.create<T>(kind, { metadata: named } as T);
  await api.delete(kind, named);
  await api.create(kind, { metadata: named });
  api.writes.length = 0;
  return before;
}

test('the gate of a pod that was made anew stays shut', async () => {
  await openGates(api, [await replaced<Pod>(POD)], '2026-01-01T00:00:00Z');
  expect(api.writes).toEqual([]);
});

test('a pod that was made anew is not deleted', async () => {
  await deletePods(api, [await replaced<Pod>(POD)]);
  expect(api.writes).toEqual([]);
});

test('of a target that was made anew nothing is borrowed', async () => {
  await applyBorrowing(api, DEPLOYMENT, targetKind('Deployment').borrowable, await replaced<Target>(DEPLOYMENT), {
    paused: true,
  });
  expect(api.writes).toEqual([]);
});

describe('a field that a user has just set', () => {
  const { borrowable } = targetKind('Deployment');
  const wanted = { maxSurge: '50%', maxUnavailable: 0 };
  const spec = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } } };
  /** As `kubectl apply` writes it. */
  const set = (maxSurge: number) => {
    const rolling = { spec: { strategy: { rollingUpdate: { maxSurge } } } };
    return { metadata: { annotations: { [LAST_APPLIED]: JSON.stringify(rolling) } }, ...rolling };
  };
  const rollingUpdate = async () => (await api.get<Deployment>(DEPLOYMENT, named)).spec?.strategy?.rollingUpdate;

  test('stays theirs, though our store does not know of it yet', async () => {
    const known = await api.create<Deployment>(DEPLOYMENT, { metadata: named, spec });
    await api.patch(DEPLOYMENT, named, 'merge', set(1));
    await applyBorrowing(api, DEPLOYMENT, borrowable, known, wanted);
    expect(await rollingUpdate()).toEqual({ maxSurge: 1, maxUnavailable: 0 });
  });

  test('stays theirs where it comes between two tries, and what changes each time is left to the next look', async () => {
    const known = await api.create<Deployment>(DEPLOYMENT, { metadata: named, spec });
    let applies = 0;
    api.fail = (verb) => (verb === 'apply' && ++applies < 3 ? new KubeError(409, 'Conflict', 'modified') : undefined);
    await applyBorrowing(api, DEPLOYMENT, borrowable, known, wanted);
    expect(await rollingUpdate()).toEqual({ maxSurge: '50%', maxUnavailable: 0 });
    api.fail = (verb) => (verb === 'apply' ? new KubeError(409, 'Conflict', 'modified') : undefined);
    await applyBorrowing(api, DEPLOYMENT, borrowable, await api.get<Deployment>(DEPLOYMENT, named), {});
    expect(await rollingUpdate()).toEqual({ maxSurge: '50%', maxUnavailable: 0 });
  });
});

test('a status that was made of an older Canary is not written', async () => {
  const canary = await api.create<Canary>(CANARY, {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'Canary',
    metadata: { ...named, generation: 1 },
    spec: specOf(),
  });
  await api.patch(CANARY, named, 'merge', { spec: { suspend: true } });
  await expect(writeStatus(api, canary, { phase: 'Progressing' })).rejects.toMatchObject({ code: 409 });
  expect((await api.get<Canary>(CANARY, named)).status).toBeUndefined();
});
