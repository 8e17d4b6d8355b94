import { expect, test } from '@jest/globals';
import { readPod } from '../mesh/pod.ts';
import { pod } from '../mesh/testing/objects.ts';
import { CLUSTER_TYPE } from '../xds/resource.ts';
import { workload } from '../xds/testing/mesh-fixture.ts';
import { remoteUse, workloadKey, workloadMemory } from './workload-memory.ts';

const keyOf = (object: ReturnType<typeof pod>, onDemand = true) =>
  workloadKey(workload('uid', { namespace: 'shop', owner: readPod(object).owner, onDemand }));

test('pods of one Deployment are one workload, whatever their revision, and those of another are not', () => {
  const [stable, canary] = ['r1', 'r2'].map((revision) =>
    keyOf(pod(`web-${revision}`, { deployment: 'web', revision })),
  );
  expect([stable, canary]).toEqual(['shop/web', 'shop/web']);
  expect(keyOf(pod('cart-1', { deployment: 'cart', revision: 'r1' }))).toBe('shop/cart');
  expect(keyOf(pod('job'))).toBe('shop/job');
});

test('pods that are sent everything at once have nothing to be remembered, nor has one that nobody knows', () => {
  expect(keyOf(pod('web-1', { deployment: 'web', revision: 'r1' }), false)).toBeUndefined();
  expect(workloadKey(undefined)).toBeUndefined();
});

test('of what another replica’s proxies have unasked, that counts which not everybody is sent', () => {
  const memory = workloadMemory(() => workload('uid', { owner: 'web', onDemand: true }), Date.now);
  const use = remoteUse(memory, { inWildcard: (_, __, name) => name !== 'lazy' });
  const proxy = { uid: 'uid', podName: 'web-1', namespace: 'shop', serviceAccount: 'default' };
  use.held(proxy, CLUSTER_TYPE, ['lazy', 'everybody’s']);
  use.asked(proxy, CLUSTER_TYPE, ['asked']);
  expect(memory.ahead(proxy, CLUSTER_TYPE)).toEqual(['lazy', 'asked']);
});
