import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { ordersBudget } from '../support/canary-fixture.ts';
import { OrdersTarget, revisionOf } from '../support/canary-target.ts';
import { releaseUnharmed } from '../support/harmless-release.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client } from '../support/testbed-client.ts';
import { client } from '../support/testbed-objects.ts';

const mesh = useNamespace('disruption');
const inside = new Client(mesh, 'deployment/caller');
const target = new OrdersTarget(mesh, 'Deployment');

const scale = (replicas: number) => mesh.run('scale', 'deployment/orders', `--replicas=${replicas}`);

/** Evicts one pod of a revision, and waits until another of it has come up in its place. */
async function replace(revision: string | undefined): Promise<void> {
  const of = async () => (await target.pods()).filter((pod) => revisionOf(pod) === revision);
  const before = await of();
  const [victim] = before;
  if (victim === undefined) throw new Error(`no pod of ${revision}`);
  await target.evict(victim.metadata.name);
  await waitUntil(
    'another pod',
    async () => {
      const fresh = (await of()).filter(({ metadata }) => !before.some((old) => old.metadata.uid === metadata.uid));
      return fresh.length > 0 ? undefined : `${before.length} before`;
    },
    { timeoutMs: 60_000 },
  );
}

clusterSetup(
  [mesh],
  async () => {
    const autoscaler = {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders' },
      minReplicas: 1,
      maxReplicas: 8,
      metrics: [
        { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    };
    await target.apply({ replicas: 3 });
    await mesh.apply(
      ordersBudget({ minAvailable: 2 }),
      { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'orders' }, spec: autoscaler },
      ...client('caller'),
    );
    await Promise.all([target.rollout(180), mesh.rolledOut('caller')]);
    await target.applyCanary({ stepWeights: [34, 67] });
    await target.phase('Initialized', 60);
  },
  240_000,
);

describe('a Deployment', () => {
  clusterTest('says where its autoscaler is misled', [mesh], async () => {
    expect(await target.targetReady('PreparedInPart')).toContain('HorizontalPodAutoscaler orders counts the memory');
  });

  clusterTest(
    'loses no request though its pods are evicted, and more wanted and fewer, while a revision is tried',
    [mesh],
    async () => {
      await releaseUnharmed(inside, target, 34, 3, async ({ stableRevision, canaryRevision }) => {
        await replace(canaryRevision);
        await replace(stableRevision);
        // As an autoscaler does it.
        await scale(5);
        await waitUntil('more pods of the stable revision', async () => {
          const stable = (await target.pods()).filter((pod) => revisionOf(pod) === stableRevision);
          return stable.length > 3 ? undefined : `${stable.length} pods`;
        });
        await scale(3);
      });
    },
    360_000,
  );
});
