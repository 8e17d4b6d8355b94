import { expect, test } from '@jest/globals';
import { meshConfig } from '../../api/mesh-config.ts';
import { NODE, POD } from '../../kube/kinds.ts';
import { silentLogger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { pod } from '../mesh/testing/objects.ts';
import { ClusterStores } from './cluster-stores.ts';
import { replicaTokenPorts, tokenPorts } from './token-review.ts';

test('what a pod may come from is its own node, as the API server knows it, and what the settings name', async () => {
  const api = new MemoryApi();
  const settings = meshConfig.parse({ proxy: { natAddresses: ['100.64.0.0/10'] } });
  const stores = new ClusterStores(api, silentLogger, settings, 'heddle-system');
  for (const [name, address] of [
    ['one', '192.0.2.1'],
    ['two', '192.0.2.2'],
  ]) {
    await api.create(NODE, {
      metadata: { name },
      status: { addresses: [{ type: 'InternalIP', address }] },
    } as unknown as KubeObject);
  }
  const made = await api.create(POD, pod('web', { node: 'one' }) as unknown as KubeObject);
  await stores.start();
  const uid = made.metadata?.uid ?? '';
  for (const ports of [
    tokenPorts(
      api,
      stores,
      () => true,
      () => undefined,
    ),
    replicaTokenPorts(api, stores, () => true),
  ]) {
    const record = ports.podByUid(uid);
    if (record === undefined) throw new Error('the pod is not known');
    const from = ['192.0.2.1', '192.0.2.2', '100.64.0.7', '203.0.113.9'];
    expect(from.map((address) => ports.mayBeRewritten?.(address, record))).toEqual([true, false, true, false]);
  }
  await stores.stop();
});
