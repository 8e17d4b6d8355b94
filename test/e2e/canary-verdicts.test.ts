import { describe, expect } from '@jest/globals';
import { type CanaryObject, orders, ordersCanary, release, waitForPhase } from './support/canary-fixture.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { Client } from './support/testbed-client.ts';
import { client } from './support/testbed-objects.ts';

const mesh = useNamespace('verdicts');
const inside = new Client(mesh, 'deployment/caller');

type Status = NonNullable<CanaryObject['status']>;

/** Waits until the release stands still for this reason, and gives the status. */
async function standsStill(reason: string, seconds: number): Promise<Status> {
  const { status = {} } = await mesh.waitFor<CanaryObject>(
    'canary',
    'orders',
    ({ status: now }) => (now?.verdict === reason ? undefined : JSON.stringify(now)),
    { timeoutMs: seconds * 1000, everyMs: 200 },
  );
  return status;
}

/** Reason and message of a condition. */
function condition({ conditions = [] }: Status, type: string): string {
  const found = conditions.find((one) => one.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
}

/** Requests at a low rate; @returns versions that answered, upon having seen none fail */
async function answers(seconds: number): Promise<string[]> {
  const { failures, versions } = await inside.load('http://orders/', { rate: 30, seconds, bodyBytes: 64 });
  expect(failures).toEqual({});
  return Object.keys(versions).sort();
}

/** Keeps up such requests while something goes on, however long that takes here; @returns versions that answered, upon having seen none fail */
async function answersDuring(work: () => Promise<void>): Promise<string[]> {
  const seen = new Set<string>();
  let goesOn = true;
  const load = async (): Promise<void> => {
    while (goesOn) for (const version of await answers(5)) seen.add(version);
  };
  const end = (): void => {
    goesOn = false;
  };
  await Promise.all([load(), work().finally(end)]);
  return [...seen].sort();
}

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(...orders(2), ...client('caller'));
    await Promise.all([mesh.rolledOut('orders'), mesh.rolledOut('caller')]);
    const metrics = [
      { name: 'request-success-rate', thresholdRange: { min: 99 } },
      { name: 'request-duration', thresholdRange: { max: 1000 } },
    ];
    await mesh.apply(ordersCanary({ stepWeights: [50, 100], threshold: 1, metrics }));
    await waitForPhase(mesh, ['Initialized'], 60);
  },
  120_000,
);

describe('a release', () => {
  clusterTest('that no sidecar has ever called waits for NoMeshClients, and says it', [mesh], async () => {
    await release(mesh, 'VERSION=v2');
    const waiting = await standsStill('NoMeshClients', 60);
    expect(waiting).toMatchObject({ phase: 'Waiting', step: 0, failedChecks: 0 });
    expect(condition(waiting, 'Waiting')).toMatch(/^True NoMeshClients: no sidecar calls a Service of the target/);
    await release(mesh, 'VERSION=v1');
    await waitForPhase(mesh, ['Initialized'], 30);
  });

  clusterTest('whose image does not exist waits for capacity while the old pods serve', [mesh], async () => {
    await mesh.run('set', 'image', 'deployment/orders', 'app=heddle/absent:none');
    const waiting = await standsStill('AwaitingCapacity', 30);
    expect(waiting).toMatchObject({ phase: 'Waiting', weight: 0, failedChecks: 0 });
    expect(condition(waiting, 'Waiting')).toMatch(/^True AwaitingCapacity: 0 of the 1 pods/);
    expect(await answers(4)).toEqual(['v1']);
    const later = await standsStill('AwaitingCapacity', 5);
    expect(condition(later, 'Waiting')).toMatch(
      /container app of pod orders-\S+ waits: (ErrImagePull|ImagePullBackOff)/,
    );
    await mesh.run('set', 'image', 'deployment/orders', 'app=heddle/shop:dev');
    const { status } = await waitForPhase(mesh, ['Initialized'], 30);
    expect(status).toMatchObject({ stableRevision: waiting.stableRevision, weight: 0 });
    expect(await answers(1)).toEqual(['v1']);
  });

  clusterTest(
    'that is slow is stopped by request-duration, and kubectl rollout status exits at once',
    [mesh],
    async () => {
      await answersDuring(async () => {
        await release(mesh, 'VERSION=slow', 'DELAY_MS=2000');
        const rollout = mesh.kubectl
          .try(['-n', mesh.name, 'rollout', 'status', 'deployment/orders', '--timeout=90s'])
          .then((ended) => ({ ...ended, at: Date.now() }));
        const { status = {} } = await waitForPhase(mesh, ['Failed', 'Succeeded'], 60);
        expect(condition(status, 'Failed')).toMatch(
          /^True ThresholdReached: .*request-duration \d.* ms is above 1000 ms/,
        );
        expect(status).toMatchObject({ phase: 'Failed', weight: 0, verdict: 'Failed' });
        const { code, at } = await rollout;
        expect(code).toBe(1);
        expect((at - Date.parse(status.lastTransitionTime ?? '')) / 1000).toBeLessThan(4);
      });
      expect(await answers(2)).toEqual(['v1']);
      await release(mesh, 'VERSION=v1', 'DELAY_MS-');
      await waitForPhase(mesh, ['Initialized'], 30);
    },
  );

  clusterTest('during which an autoscaler doubles the replicas succeeds, and no request is lost', [mesh], async () => {
    const seen = await answersDuring(async () => {
      await release(mesh, 'VERSION=v3');
      await mesh.waitFor<CanaryObject>(
        'canary',
        'orders',
        ({ status }) => (status?.weight === 50 ? undefined : 'not 50 %'),
        { everyMs: 100 },
      );
      const patch = ['--subresource=scale', '--type=merge', '-p', '{"spec":{"replicas":4}}'];
      await mesh.run('patch', 'deployment', 'orders', ...patch);
      const { status } = await waitForPhase(mesh, ['Succeeded', 'Failed'], 90);
      expect(status?.phase).toBe('Succeeded');
    });
    expect(seen).toEqual(['v1', 'v3']);
    await mesh.rolledOut('orders', 30);
    expect(await answers(1)).toEqual(['v3']);
  });
});
