import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { withSettings } from './support/operator-settings.ts';
import { Client } from './support/testbed-client.ts';
import { client, HTTP_PORT, server, TCP_PORT } from './support/testbed-objects.ts';
import { testbedPods } from './support/testbed-pods.ts';

const mesh = useNamespace('settings');
const outside = useNamespace('unknown', {});
const caller = new Client(mesh, 'deployment/caller');

clusterSetup([mesh, outside], async () => {
  await Promise.all([mesh.apply(...server('echo'), ...client('caller')), outside.apply(...server('legacy'))]);
  await Promise.all([mesh.rolledOut('echo'), mesh.rolledOut('caller'), outside.rolledOut('legacy')]);
});

describe('outboundTrafficPolicy of the mesh', () => {
  clusterTest('REGISTRY_ONLY refuses hosts that nobody knows, and no others', [mesh, outside], async () => {
    const [pod] = await testbedPods(outside, 'app=legacy');
    const unknown = [{ url: `http://${pod?.ip}:${HTTP_PORT}/` }, { url: `tcp://${pod?.ip}:${TCP_PORT}` }];
    const known = [{ url: 'http://echo/' }, { url: 'tcp://echo:90' }];
    const answered = async () => (await caller.plan([...known, ...unknown])).map(({ ok }) => ok);
    expect(await answered()).toEqual([1, 1, 1, 1]);
    const restore = await withSettings(mesh.kubectl, () => ({ outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } }));
    try {
      await waitUntil('unknown hosts are refused', async () => {
        const [, , http, tcp] = await answered();
        return http === 0 && tcp === 0 ? undefined : 'answered';
      });
      expect(await answered()).toEqual([1, 1, 0, 0]);
    } finally {
      await restore();
    }
    await waitUntil('unknown hosts are let through again', async () => {
      const counts = await answered();
      return counts.every((ok) => ok === 1) ? undefined : counts.join();
    });
  });
});
