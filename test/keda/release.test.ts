import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { stateLayout } from '../../hack/cluster/layout.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { type DeploymentObject, ordersCanary, release } from '../e2e/support/canary-fixture.ts';
import { OrdersTarget, revisionOf } from '../e2e/support/canary-target.ts';
import { testKubectl } from '../e2e/support/cluster.ts';
import { clusterSetup, clusterTest, useNamespace } from '../e2e/support/namespace.ts';
import { Client } from '../e2e/support/testbed-client.ts';
import { CONTROL_OUTSIDE_MESH, client, server } from '../e2e/support/testbed-objects.ts';
import { testbedPods } from '../e2e/support/testbed-pods.ts';
import { type RunningKeda, startKeda } from './keda-processes.ts';

interface AutoscalerObject {
  readonly status?: { readonly currentReplicas?: number; readonly desiredReplicas?: number };
}

let keda: RunningKeda | undefined;
beforeAll(async () => {
  keda = await startKeda(testKubectl(), stateLayout().kubeconfig);
}, 150_000);
afterAll(() => keda?.stop(), 60_000);

const mesh = useNamespace('keda');
const inside = new Client(mesh, 'deployment/caller');
const target = new OrdersTarget(mesh, 'Deployment');

/** What waits for `orders`: a pod for each of its own, so that a test can say how many there are to be. */
const wait = (jobs: number): Promise<string> => mesh.run('scale', 'deployment/jobs', `--replicas=${jobs}`);

const scaledObject = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: 'orders' },
  spec: {
    scaleTargetRef: { name: 'orders' },
    minReplicaCount: 0,
    maxReplicaCount: 6,
    pollingInterval: 2,
    cooldownPeriod: 5,
    initialCooldownPeriod: 0,
    advanced: {
      horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 5 } } },
    },
    triggers: [{ type: 'kubernetes-workload', metadata: { podSelector: 'app=jobs', value: '1' } }],
  },
};

const wanted = async (): Promise<number> =>
  (await mesh.get<DeploymentObject>('deployment', 'orders'))?.spec.replicas ?? 0;

const scaledTo = (replicas: number): Promise<void> =>
  waitUntil(`${replicas} replicas`, async () => ((await wanted()) === replicas ? undefined : `${await wanted()}`), {
    timeoutMs: 120_000,
    everyMs: 500,
  });

/** The most that autoscaler and Deployment want, until some work is done. */
async function mostWanted(
  work: Promise<unknown>,
): Promise<{ readonly autoscaler: number; readonly deployment: number }> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  const most = { autoscaler: 0, deployment: 0 };
  while (!isDone) {
    const { status = {} } = (await mesh.get<AutoscalerObject>('hpa', 'keda-hpa-orders')) ?? {};
    most.autoscaler = Math.max(most.autoscaler, status.desiredReplicas ?? 0);
    most.deployment = Math.max(most.deployment, await wanted());
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await done;
  return most;
}

const fails = async (revision: string, errors: boolean): Promise<void> =>
  inside.behave(await testbedPods(mesh, `app=orders,pod-template-hash=${revision}`), { errors, status: 500 });

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(
      ...server('orders', { replicas: 2, version: 'v1', annotations: CONTROL_OUTSIDE_MESH }),
      ...client('caller'),
      // Whether it does anything is all the same to KEDA, which counts pods.
      ...client('jobs', { replicas: 2, labels: { 'sidecar.istio.io/inject': 'false' } }),
    );
    await Promise.all(['orders', 'caller', 'jobs'].map((name) => mesh.rolledOut(name)));
    await mesh.apply(scaledObject);
    await waitUntil(
      'an autoscaler by KEDA',
      async () =>
        (await mesh.get<AutoscalerObject>('hpa', 'keda-hpa-orders'))?.status?.desiredReplicas === 2
          ? undefined
          : 'not yet',
      { timeoutMs: 90_000, everyMs: 1000 },
    );
    await mesh.apply(ordersCanary({ stepWeights: [50, 100], interval: '10s' }));
    await target.phase('Initialized', 60);
  },
  300_000,
);

describe('a Deployment that KEDA scales', () => {
  clusterTest(
    'is released: held pods are not counted, more are had when more waits, and no request is lost',
    [mesh],
    async () => {
      expect(await target.targetReady('Prepared')).not.toContain('autoscaler');
      const [{ failures, versions }] = await inside.loadDuring(
        'http://orders/',
        { rate: 30, bodyBytes: 64 },
        async () => {
          await release(mesh, 'VERSION=v2');
          const half = await mostWanted(target.when(({ step, weight }) => step === 1 && weight === 100, 180));
          expect(half).toEqual({ autoscaler: 2, deployment: 2 });
          await wait(4);
          await scaledTo(4);
          const ended = await target.when(({ phase = '' }) => /Succeeded|Failed/.test(phase), 240);
          expect(ended.phase).toBe('Succeeded');
          expect(await wanted()).toBe(4);
        },
      );
      expect(failures).toEqual({});
      expect(Object.keys(versions).sort()).toEqual(['v1', 'v2']);
    },
    480_000,
  );

  clusterTest(
    'and scales to 0 after a revision was given up: that is not released, and what serves again is the template of then',
    [mesh],
    async () => {
      const { stableRevision } = await target.when(({ phase }) => phase === 'Succeeded');
      let failed = '';
      await inside.loadDuring('http://orders/', { rate: 30, bodyBytes: 64 }, async () => {
        await release(mesh, 'VERSION=v3');
        const { canaryRevision = '' } = await target.when(({ weight }) => (weight ?? 0) > 0, 120);
        await fails(canaryRevision, true);
        await target.when(({ phase }) => phase === 'Failed', 120);
        failed = canaryRevision;
      });
      await wait(0);
      await scaledTo(0);
      await waitUntil('no pod', async () => ((await target.pods()).length === 0 ? undefined : 'some'), {
        timeoutMs: 60_000,
      });
      expect(await target.targetReady('PreparedInPart')).toContain('scaled to 0');
      const atRest = await target.when(() => true);
      expect(atRest).toMatchObject({ phase: 'Failed', stableRevision, failedRevision: failed });
      expect(atRest.ungatedRevisions).not.toContain(failed);

      await release(mesh, 'VERSION=v2');
      await target.when(({ phase, canaryRevision }) => phase === 'Initialized' && canaryRevision === undefined, 60);
      await wait(1);
      await scaledTo(1);
      await mesh.rolledOut('orders');
      expect((await target.pods()).map(revisionOf)).toEqual([stableRevision]);
    },
    480_000,
  );

  clusterTest(
    'and holds at a number of pods is released all the same',
    [mesh],
    async () => {
      await mesh.run('annotate', 'scaledobject', 'orders', 'autoscaling.keda.sh/paused-replicas=3');
      await scaledTo(3);
      await mesh.rolledOut('orders');
      const [{ failures }] = await inside.loadDuring('http://orders/', { rate: 30, bodyBytes: 64 }, async () => {
        await release(mesh, 'VERSION=v4');
        const ended = await target.when(
          ({ phase, canaryRevision }) => phase === 'Failed' || (phase === 'Succeeded' && canaryRevision === undefined),
          240,
        );
        expect(ended.phase).toBe('Succeeded');
      });
      expect(failures).toEqual({});
      expect(await wanted()).toBe(3);
    },
    360_000,
  );
});
