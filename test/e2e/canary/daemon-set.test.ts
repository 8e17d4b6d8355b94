import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { OrdersTarget, revisionOf } from '../support/canary-target.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client } from '../support/testbed-client.ts';
import { client } from '../support/testbed-objects.ts';

const mesh = useNamespace('daemon');
const inside = new Client(mesh, 'deployment/caller');
const target = new OrdersTarget(mesh, 'DaemonSet');

const beside = <T>(work: () => Promise<T>) => inside.loadDuring('http://orders/', { rate: 100 }, work);

clusterSetup(
  [mesh],
  async () => {
    await target.apply({});
    await mesh.apply(...client('caller'));
    await Promise.all([target.rollout(120), mesh.rolledOut('caller')]);
    await target.applyCanary({ stepWeights: [10, 50] });
  },
  240_000,
);

/** The local cluster has one node, so that a DaemonSet has one pod: with `maxSurge` the new one stands beside it. */
describe('a DaemonSet', () => {
  clusterTest('is refused where a new revision would take its only pod', [mesh], async () => {
    expect(await target.targetReady('OnlyPod')).toContain('its only pod');
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
    const patch = JSON.stringify({ spec: { updateStrategy: { rollingUpdate } } });
    await mesh.run('patch', 'daemonset/orders', '--type=merge', '-p', patch);
    expect(await target.targetReady('PreparedInPart')).toContain('as many of 1 nodes as maxSurge allows');
    await target.phase('Initialized', 60);
  });

  clusterTest(
    'is released, and no request is lost',
    [mesh],
    async () => {
      const [{ failures, examples, versions }, [waiting, end]] = await beside(async () => {
        await target.release('VERSION=v2');
        await target.when(({ weight }) => weight === 10);
        const during = await target.rollout(1);
        return [during, await target.over()] as const;
      });
      expect(waiting.code).toBe(1);
      expect(end.phase).toBe('Succeeded');
      expect({ failures, examples }).toEqual({ failures: {}, examples: [] });
      expect(Object.keys(versions).sort()).toEqual(['v1', 'v2']);
      expect(await target.rollout(30)).toMatchObject({ code: 0 });
    },
    240_000,
  );

  clusterTest(
    'whose new revision fails keeps the old pod, and loses the new one when the template is the old one again',
    [mesh],
    async () => {
      const [{ failures }, failed] = await beside(async () => {
        await target.release('VERSION=v3', 'ERROR_RATE=0.4');
        return target.when(({ phase }) => phase === 'Failed');
      });
      expect(Object.keys(failures)).toEqual(['500']);
      const afterwards = await inside.load('http://orders/', { rate: 100, seconds: 2 });
      expect(afterwards.failures).toEqual({});
      expect((await target.rollout(1)).code).toBe(1);
      await target.release('VERSION=v2', 'ERROR_RATE-');
      await target.phase('Initialized', 60);
      await waitUntil('the old pod alone', async () => {
        const found = (await target.pods()).map(revisionOf);
        return found.join() === failed.stableRevision ? undefined : found.join();
      });
      expect(await target.rollout(30)).toMatchObject({ code: 0 });
    },
    240_000,
  );
});
