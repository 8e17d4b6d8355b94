import { beforeEach, expect, test } from '@jest/globals';
import type { Canary } from '../../api/canary.ts';
import { CANARY, DEPLOYMENT, POD } from '../../kube/kinds.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { applyBorrowing, deletePods, openGates, writeStatus } from './effects.ts';
import type { Pod, Target } from './objects.ts';
import { specOf } from './observation.fixture.ts';
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
    metadata: named,
    spec: { paused: true },
  });
  expect(api.writes).toEqual([]);
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
