import { describe, expect } from '@jest/globals';
import { waitFor } from '../../../hack/mesh/wait.ts';
import { ordersBudget } from '../support/canary-fixture.ts';
import { isReady, OrdersTarget, revisionOf } from '../support/canary-target.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client } from '../support/testbed-client.ts';
import { client } from '../support/testbed-objects.ts';

const mesh = useNamespace('stateful');
const inside = new Client(mesh, 'deployment/caller');
const target = new OrdersTarget(mesh, 'StatefulSet');

const beside = <T>(work: () => Promise<T>) => inside.loadDuring('http://orders/', { rate: 100 }, work);

/** Waits until the pods are of these revisions, in the order of their numbers, and gives them. */
const revisionsAre = (expected: readonly (string | undefined)[]) =>
  waitFor(
    'the revisions of the pods',
    async () => {
      const pods = await target.pods();
      const found = pods.map(revisionOf);
      if (found.join() !== expected.join()) throw new Error(found.join());
      return pods;
    },
    { timeoutMs: 120_000 },
  );

clusterSetup(
  [mesh],
  async () => {
    await target.apply({ replicas: 3, serviceName: 'orders' });
    await mesh.apply(ordersBudget({ maxUnavailable: 1 }), ...client('caller'));
    await Promise.all([target.rollout(180), mesh.rolledOut('caller')]);
    await target.applyCanary({ stepWeights: [10, 50] });
    await target.phase('Initialized', 60);
  },
  240_000,
);

describe('a StatefulSet', () => {
  clusterTest('says that it tries a revision with a pod of its own', [mesh], async () => {
    expect(await target.targetReady('PreparedInPart')).toContain('tried with 1 of 3 pods');
  });

  clusterTest(
    'is released whole, and no request is lost, though pods are evicted in the middle and one is added',
    [mesh],
    async () => {
      const [{ failures, examples, versions }, end] = await beside(async () => {
        await target.release('VERSION=v2');
        const { stableRevision: old, canaryRevision: fresh } = await target.when(({ weight = 0 }) => weight > 0);
        // The budget lets a held pod go; one of the old revision it would not, for the other is missing already.
        const before = await revisionsAre([old, old, fresh]);
        await target.evict('orders-2');
        const after = await revisionsAre([old, old, fresh]);
        expect(after[2]?.metadata.uid).not.toBe(before[2]?.metadata.uid);
        await mesh.run('scale', 'statefulset/orders', '--replicas=4');
        const grown = await revisionsAre([old, old, old, fresh]);
        expect(grown.slice(0, 2).every(isReady)).toBe(true);
        return target.over(200);
      });
      expect({ failures, examples }).toEqual({ failures: {}, examples: [] });
      expect(end.phase).toBe('Succeeded');
      expect(Object.keys(versions).sort()).toEqual(['v1', 'v2']);
      expect(await target.rollout(20)).toMatchObject({ code: 0 });
      expect(new Set((await target.pods()).map(revisionOf))).toEqual(new Set([end.stableRevision]));
    },
    360_000,
  );

  clusterTest(
    'whose new revision fails keeps the others as they are, and gets its pod back when the template is the old one again',
    [mesh],
    async () => {
      const [{ failures }, [failed, waiting]] = await beside(async () => {
        await target.release('VERSION=v3', 'ERROR_RATE=0.4');
        const over = await target.when(({ phase }) => phase === 'Failed');
        return [over, await target.rollout(3)] as const;
      });
      // What the revision itself answered, and nothing else.
      expect(Object.keys(failures)).toEqual(['500']);
      expect(failed.weight).toBe(0);
      expect(waiting.code).toBe(1);
      expect(waiting.said).toContain('timed out waiting for the condition');
      const { stableRevision: old, failedRevision: bad } = failed;
      await revisionsAre([old, old, old, bad]);
      const afterwards = await inside.load('http://orders/', { rate: 100, seconds: 2 });
      expect(afterwards.failures).toEqual({});
      await target.release('VERSION=v2', 'ERROR_RATE-');
      await target.phase('Initialized', 60);
      await revisionsAre([old, old, old, old]);
      expect(await target.rollout(60)).toMatchObject({ code: 0 });
    },
    300_000,
  );

  clusterTest('that is not to be tried says why, in a condition with a name', [mesh], async () => {
    const strategy = (updateStrategy: object) =>
      mesh.run('patch', 'statefulset/orders', '--type=merge', '-p', JSON.stringify({ spec: { updateStrategy } }));
    await strategy({ rollingUpdate: { partition: 2 } });
    expect(await target.targetReady('PartitionSet')).toContain('spec.updateStrategy.rollingUpdate.partition');
    await strategy({ type: 'OnDelete', rollingUpdate: null });
    expect(await target.targetReady('OnDelete')).toContain('spec.updateStrategy.type');
    await strategy({ type: 'RollingUpdate', rollingUpdate: { partition: 0 } });
    await target.targetReady('PreparedInPart');
    await mesh.run('scale', 'statefulset/orders', '--replicas=1');
    expect(await target.targetReady('OnlyPod')).toContain('spec.takeOnlyPod');
  });
});
