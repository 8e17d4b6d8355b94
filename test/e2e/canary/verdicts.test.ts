import { describe, expect } from '@jest/globals';
import {
  type CanaryObject,
  conditionLine,
  orders,
  ordersCanary,
  release,
  waitForPhase,
} from '../support/canary-fixture.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client } from '../support/testbed-client.ts';
import { client } from '../support/testbed-objects.ts';

const mesh = useNamespace('verdicts');
const inside = new Client(mesh, 'deployment/caller');

type Status = NonNullable<CanaryObject['status']>;

/** What the 99th percentile may be: more than a request takes on a machine that is busy with other tests. */
const LIMIT_MS = 3000;

/** A few steps of 5 s; on a slow machine the pods alone may take a minute. */
const RELEASE_SECONDS = 150;

/** Waits until the release stands still for this reason, told so, and gives the status. */
async function standsStill(reason: string, told: RegExp): Promise<Status> {
  const { status = {} } = await mesh.waitFor<CanaryObject>(
    'canary',
    'orders',
    ({ status: now = {} }) =>
      now.verdict === reason && told.test(conditionLine(now, 'Waiting')) ? undefined : JSON.stringify(now),
    { timeoutMs: 100_000 },
  );
  return status;
}

/** Requests at a low rate; @returns versions that answered, upon having seen none fail */
async function answers(seconds: number): Promise<string[]> {
  const { failures, versions } = await inside.load('http://orders/', { rate: 30, seconds, bodyBytes: 64 });
  expect(failures).toEqual({});
  return Object.keys(versions).sort();
}

/** Keeps up such requests while something goes on; @returns versions that answered, upon having seen none fail */
async function answersDuring(work: () => Promise<void>): Promise<string[]> {
  const [{ failures, versions }] = await inside.loadDuring('http://orders/', { rate: 30, bodyBytes: 64 }, work);
  expect(failures).toEqual({});
  return Object.keys(versions).sort();
}

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(...orders(2), ...client('caller'));
    await Promise.all([mesh.rolledOut('orders'), mesh.rolledOut('caller')]);
    const metrics = [
      { name: 'request-success-rate', thresholdRange: { min: 99 } },
      { name: 'request-duration', thresholdRange: { max: LIMIT_MS } },
    ];
    await mesh.apply(ordersCanary({ stepWeights: [50, 100], threshold: 1, metrics }));
    await waitForPhase(mesh, ['Initialized'], 60);
  },
  120_000,
);

describe('a release', () => {
  clusterTest('that no sidecar has ever called waits for NoMeshClients, and says it', [mesh], async () => {
    await release(mesh, 'VERSION=v2');
    const waiting = await standsStill('NoMeshClients', /^True NoMeshClients: no sidecar calls a Service of the target/);
    expect(waiting).toMatchObject({ phase: 'Waiting', step: 0, failedChecks: 0 });
    await release(mesh, 'VERSION=v1');
    await waitForPhase(mesh, ['Initialized'], 60);
  });

  clusterTest('whose image does not exist is stopped at once while the old pods serve', [mesh], async () => {
    await mesh.run('set', 'image', 'deployment/orders', 'app=heddle/absent:none');
    const waiting = await standsStill('AwaitingCapacity', /^True AwaitingCapacity: 0 of the 1 pods/);
    expect(waiting).toMatchObject({ phase: 'Waiting', weight: 0, failedChecks: 0 });
    const { status: failed = {} } = await waitForPhase(mesh, ['Failed'], 60);
    expect(conditionLine(failed, 'Failed')).toMatch(/^True ImagePull: .*container app of pod orders-\S+ has an image/);
    expect(await answers(2)).toEqual(['v1']);
    await mesh.run('set', 'image', 'deployment/orders', 'app=heddle/shop:dev');
    const { status } = await waitForPhase(mesh, ['Initialized'], 60);
    expect(status).toMatchObject({ stableRevision: waiting.stableRevision, weight: 0 });
    expect(await answers(1)).toEqual(['v1']);
  });

  clusterTest(
    'that is slow is stopped by request-duration, and kubectl rollout status exits by it',
    [mesh],
    async () => {
      await answersDuring(async () => {
        await release(mesh, 'VERSION=slow', `DELAY_MS=${2 * LIMIT_MS}`);
        const rollout = mesh.kubectl.try(
          ['-n', mesh.name, 'rollout', 'status', 'deployment/orders', `--timeout=${RELEASE_SECONDS}s`],
          { timeoutMs: (RELEASE_SECONDS + 10) * 1000 },
        );
        const { status = {} } = await waitForPhase(mesh, ['Failed', 'Succeeded'], RELEASE_SECONDS);
        expect(conditionLine(status, 'Failed')).toMatch(
          new RegExp(`^True ThresholdReached: .*request-duration \\d.* ms is above ${LIMIT_MS} ms`),
        );
        expect(status).toMatchObject({ phase: 'Failed', weight: 0, verdict: 'Failed' });
        const { code, stderr } = await rollout;
        expect(code).toBe(1);
        // By the verdict, not by its own patience.
        expect(stderr).toContain('exceeded its progress deadline');
      });
      expect(await answers(2)).toEqual(['v1']);
      await release(mesh, 'VERSION=v1', 'DELAY_MS-');
      await waitForPhase(mesh, ['Initialized'], 60);
    },
  );

  clusterTest('during which an autoscaler doubles the replicas succeeds, and no request is lost', [mesh], async () => {
    const seen = await answersDuring(async () => {
      await release(mesh, 'VERSION=v3');
      await mesh.waitFor<CanaryObject>(
        'canary',
        'orders',
        ({ status }) => (status?.weight === 50 ? undefined : 'not 50 %'),
        { timeoutMs: 100_000 },
      );
      const patch = ['--subresource=scale', '--type=merge', '-p', '{"spec":{"replicas":4}}'];
      await mesh.run('patch', 'deployment', 'orders', ...patch);
      const { status } = await waitForPhase(mesh, ['Succeeded', 'Failed'], RELEASE_SECONDS);
      expect(status?.phase).toBe('Succeeded');
    });
    expect(seen).toEqual(['v1', 'v3']);
    await mesh.rolledOut('orders');
    expect(await answers(1)).toEqual(['v3']);
  });
});
