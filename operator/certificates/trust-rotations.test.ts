import { afterEach, expect, test } from '@jest/globals';
import type { TrustRotation } from '../../api/trust-rotation.ts';
import { TRUST_ROTATION } from '../../kube/kinds.ts';
import { silentLogger } from '../../kube/logger.ts';
import { eventually, MemoryApi } from '../../kube/testing/memory-api.ts';
import { TrustRotations } from './trust-rotations.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function watched() {
  const api = new MemoryApi();
  const rotations = new TrustRotations(api, silentLogger);
  ends.push(
    rotations.start(() => {}),
    () => rotations.stop(),
  );
  await eventually(() => rotations.isKnown);
  const made = await api.create<TrustRotation>(TRUST_ROTATION, { metadata: { name: 'now' }, spec: { abort: false } });
  const { uid = '' } = made.metadata;
  await eventually(() => rotations.get({ name: 'now', uid }) !== undefined);
  return { api, rotations, uid };
}

test('a TrustRotation that was made anew under the same name is another', async () => {
  const { api, rotations, uid } = await watched();
  await api.delete(TRUST_ROTATION, { name: 'now' });
  const again = await api.create<TrustRotation>(TRUST_ROTATION, { metadata: { name: 'now' }, spec: { abort: false } });
  await eventually(() => rotations.get({ name: 'now', uid: again.metadata.uid ?? '' }) !== undefined);
  expect(rotations.get({ name: 'now', uid })).toBeUndefined();
});

test('a TrustRotation that is being deleted, and waits for a finalizer, is as good as gone', async () => {
  const { api, rotations, uid } = await watched();
  await api.patch(TRUST_ROTATION, { name: 'now' }, 'merge', {
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
  });
  await eventually(() => rotations.get({ name: 'now', uid }) === undefined);
});
