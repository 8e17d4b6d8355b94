import { describe, expect } from '@jest/globals';
import { COMMAND_ANNOTATION } from '../../api/canary-command.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { waitFor, waitUntil } from '../../hack/mesh/wait.ts';
import { replay } from '../../operator/canary/judge/replay.ts';
import { type CanaryObject, canaryOf, type DeploymentObject } from './support/canary-fixture.ts';
import { Dashboard } from './support/dashboard.ts';
import { useMetricsServer } from './support/metrics-server.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { Client, type LoadReport } from './support/testbed-client.ts';
import { CONTROL_OUTSIDE_MESH, client, server } from './support/testbed-objects.ts';
import { testbedPods } from './support/testbed-pods.ts';

useMetricsServer();
const mesh = useNamespace('saturation');
const inside = new Client(mesh, 'deployment/caller');

/** Two samples of each pod, 10 s apart, the first up to that late; on a busy machine the pods alone may take a minute. */
const RELEASE_SECONDS = 200;

const success = { name: 'request-success-rate', thresholdRange: { min: 99 } };
/** A busy machine gives a process less than it would burn; what serving takes is a tenth of the limit. */
const ofLimit = { name: 'cpu-usage', thresholdRange: { max: 30 } };
const noMore = { name: 'memory-usage', comparedToStable: { maxIncrease: 80 } };
const METRICS: Readonly<Record<string, readonly object[]>> = {
  hungry: [success, ofLimit],
  swollen: [success, noMore],
  modest: [success, { ...ofLimit, comparedToStable: { maxIncrease: 300 } }, { ...noMore, thresholdRange: { max: 90 } }],
  scaled: [success],
};

const canary = (name: string): object => canaryOf(name, { threshold: 1, stepWeights: [50], metrics: METRICS[name] });

const autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'scaled' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' },
    minReplicas: 2,
    maxReplicas: 4,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 40 } } }],
  },
};

/** Waits until the status of a Canary is as wanted. */
async function when(name: string, check: (status: CanaryStatus) => boolean, seconds = 60): Promise<CanaryStatus> {
  const found = await mesh.waitFor<CanaryObject>(
    'canary',
    name,
    ({ status = {} }) => (check(status) ? undefined : JSON.stringify(status)),
    { timeoutMs: seconds * 1000 },
  );
  return found.status ?? {};
}

const release = (name: string, ...environment: string[]): Promise<string> =>
  mesh.run('set', 'env', `deployment/${name}`, 'VERSION=v2', ...environment);

const over = (name: string): Promise<CanaryStatus> =>
  when(name, ({ phase = '' }) => /Succeeded|Failed/.test(phase), RELEASE_SECONDS);

/** Releases a server under requests, of which none may fail. @returns what became of it */
async function tried(name: string, ...environment: string[]): Promise<CanaryStatus> {
  const [{ failures }, status] = await inside.loadDuring(`http://${name}/`, { rate: 20, bodyBytes: 64 }, async () => {
    await release(name, ...environment);
    return over(name);
  });
  expect(failures).toEqual({});
  return status;
}

function failure({ conditions = [] }: CanaryStatus): string | undefined {
  return conditions.find(({ type, status }) => type === 'Failed' && status === 'True')?.message;
}

clusterSetup(
  [mesh],
  async () => {
    // Of a node with two processors all that run at once must find room.
    const resources = { requests: { cpu: '40m', memory: '64Mi' }, limits: { cpu: '100m', memory: '320Mi' } };
    const annotations = { ...CONTROL_OUTSIDE_MESH, 'sidecar.istio.io/proxyCPU': '20m' };
    const options = { replicas: 2, annotations, container: { resources } };
    const unlimited = { resources: { ...resources, limits: { memory: '320Mi' } } };
    const names = Object.keys(METRICS);
    const servers = names.flatMap((name) =>
      server(name, name === 'scaled' ? { ...options, container: unlimited } : options),
    );
    await mesh.apply(...servers, ...client('caller'));
    await Promise.all([...names, 'caller'].map((name) => mesh.rolledOut(name)));
    await mesh.apply(...names.map(canary), autoscaler);
    await Promise.all(names.map((name) => when(name, ({ phase }) => phase === 'Initialized')));
  },
  240_000,
);

describe('what pods use', () => {
  clusterTest(
    'stops a revision that burns CPU, and one that takes memory, though both answer well; one like the stable one is promoted',
    [mesh],
    async () => {
      const [hungry, swollen, modest] = await Promise.all([
        tried('hungry', 'BURN=0.9'),
        tried('swollen', 'HOLD=160'),
        tried('modest'),
      ]);
      expect(failure(hungry)).toMatch(/cpu-usage [0-9.]+ % of the limit is above 30 %/);
      expect(failure(swollen)).toMatch(/memory-usage [0-9]+ MiB a pod is more than 80 % above the [0-9]+ MiB/);
      expect([failure(modest), modest.phase]).toEqual([undefined, 'Succeeded']);
      for (const { rounds = [] } of [hungry, swollen, modest]) {
        expect(rounds.length).toBeGreaterThan(0);
        expect(rounds[0]?.inputs.usage?.length).toBeGreaterThan(0);
        expect(replay(rounds).map(({ same }) => same)).toEqual(rounds.map(() => true));
      }
    },
    300_000,
  );
});

describe('the graph', () => {
  clusterTest(
    'shows how full a workload is: as full as the pod that was given up and stays for a look',
    [mesh],
    async () => {
      const dashboard = await Dashboard.open(mesh.kubectl);
      try {
        const { cpuCores, memoryBytes, memoryShare } = await waitFor('what pods use', async () => {
          const { nodes } = await dashboard.graph(mesh.name, 60);
          const { saturation } = nodes.find(({ name }) => name === 'swollen') ?? {};
          return saturation?.memoryBytes === undefined ? undefined : saturation;
        });
        expect(cpuCores).toBeGreaterThan(0);
        expect(memoryBytes).toBeGreaterThan(160 * 2 ** 20);
        // 160 of 320 MiB are held, beside what the program itself takes.
        expect(memoryShare).toBeGreaterThan(0.5);
        expect(memoryShare).toBeLessThan(1);
      } finally {
        await dashboard.close();
      }
    },
  );
});

describe('an autoscaler by CPU', () => {
  clusterTest(
    'adds pods in the middle of an analysis, held ones notwithstanding, and the release goes on and loses nothing',
    [mesh],
    async () => {
      const command = async (value: string): Promise<void> => {
        await mesh.run('annotate', 'canary', 'scaled', `${COMMAND_ANNOTATION}=${value}`);
        await when('scaled', ({ command: last }) => last?.value === value && last.removed === true);
      };
      const replicas = async () => (await mesh.get<DeploymentObject>('deployment', 'scaled'))?.spec.replicas ?? 0;
      const work = async (): Promise<CanaryStatus> => {
        await release('scaled');
        const { stableRevision } = await when('scaled', ({ weight }) => weight === 50, 100);
        await command('pause');
        const stable = () => testbedPods(mesh, `app=scaled,pod-template-hash=${stableRevision}`);
        const before = await stable();
        expect([before.length, await replicas()]).toEqual([2, 2]);
        await inside.behave(before, { burn: 0.5 });
        await waitUntil('more pods by the autoscaler', async () => ((await replicas()) === 4 ? undefined : 'not yet'), {
          timeoutMs: 120_000,
        });
        await waitUntil('pods of the stable revision', async () => {
          const pods = await stable();
          return pods.length > before.length ? undefined : `${pods.length}`;
        });
        expect((await when('scaled', () => true)).phase).not.toBe('Failed');
        await command('resume');
        return over('scaled');
      };
      const [{ failures, examples }, end] = await inside.loadDuring(
        'http://scaled/',
        { rate: 20, bodyBytes: 64 },
        work,
      );
      expect<Pick<LoadReport, 'failures' | 'examples'>>({ failures, examples }).toEqual({ failures: {}, examples: [] });
      expect([failure(end), end.phase]).toEqual([undefined, 'Succeeded']);
      await mesh.rolledOut('scaled');
      const pods = await testbedPods(mesh, 'app=scaled');
      expect(pods.map(({ labels }) => labels['pod-template-hash'])).toEqual(pods.map(() => end.stableRevision));
      expect([pods.length, await replicas()]).toEqual([4, 4]);
    },
    400_000,
  );
});
