import { afterEach, describe, expect } from '@jest/globals';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { type CanaryObject, canaryOf, conditionLine } from '../support/canary-fixture.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client } from '../support/testbed-client.ts';
import { client, server } from '../support/testbed-objects.ts';
import { testbedPods } from '../support/testbed-pods.ts';

/** Pods that read a queue and take no requests: what a revision gets is by its pods, and what speaks of it are hooks and its pods themselves. */

const mesh = useNamespace('workers');
/** Hooks are asked by the operator, which has no sidecar. */
const outside = useNamespace('worker-gates', {});
const inside = new Client(mesh, 'deployment/caller');
const both = [mesh, outside];
const REPLICAS = 4;
const PAUSE_MS = 50;
/** Each pod takes a job from the queue every so often, in its version's name. */
const WORK = `if (process.env.CRASH) process.exit(1);
process.on('SIGTERM', () => process.exit());
setInterval(() => fetch('http://queue/?key=' + process.env.VERSION).catch(() => {}), ${PAUSE_MS});`;
const COMMAND = ['node', '-e', WORK];
const HOOKS = ['confirm-rollout', 'rollout', 'confirm-traffic-increase', 'rollback'] as const;

async function until(check: (status: CanaryStatus) => boolean, seconds = 120, name = 'mailer'): Promise<CanaryStatus> {
  const found = await mesh.waitFor<CanaryObject>(
    'canary',
    name,
    ({ status = {} }) => (check(status) ? undefined : JSON.stringify(status)),
    { timeoutMs: seconds * 1000, everyMs: 200 },
  );
  return found.status ?? {};
}

/** Before that it may be the revision before that has failed. */
function untilFailed(why: RegExp, name = 'mailer'): Promise<CanaryStatus> {
  return until((status) => status.phase === 'Failed' && why.test(conditionLine(status, 'Failed')), 150, name);
}

/** The same worker as a StatefulSet of two pods. */
function readers(): object[] {
  const objects = client('reader', { version: 'w1', replicas: 2, container: { command: COMMAND } }) as {
    readonly kind: string;
    readonly spec: object;
  }[];
  return objects.map((object) =>
    object.kind === 'Deployment'
      ? { ...object, kind: 'StatefulSet', spec: { ...object.spec, serviceName: 'reader' } }
      : object,
  );
}

interface ReaderPod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly deletionTimestamp?: string };
}

/** Revisions of the pods of the StatefulSet that stay. */
async function readerRevisions(): Promise<(string | undefined)[]> {
  const pods = await mesh.list<ReaderPod>('pods', 'app=reader');
  return pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.labels['controller-revision-hash']);
}

const release = (...environment: string[]): Promise<string> =>
  mesh.run('set', 'env', 'deployment/mailer', ...environment);

const patch = (spec: object): Promise<string> =>
  mesh.run('patch', 'canary', 'mailer', '--type=merge', '-p', JSON.stringify({ spec }));

/** What a hook of a type says from now on. */
async function says(type: string, yes: boolean): Promise<void> {
  await inside.behave(await testbedPods(outside, `app=${type}`), { errors: !yes, status: 403 });
}

/** How much of the queue a version takes in some seconds beside another. */
async function share(version: string, other: string, seconds: number): Promise<number> {
  const queue = await testbedPods(mesh, 'app=queue');
  const taken = async (key: string): Promise<number> =>
    (await inside.seen(queue, key)).reduce((sum, { count }) => sum + count, 0);
  const before = [await taken(version), await taken(other)];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = [await taken(version), await taken(other)];
  const [own = 0, others = 0] = after.map((count, index) => count - (before[index] ?? 0));
  return own / (own + others);
}

/** Pods of others may be on their way out. */
async function takesAll(version: string, other: string): Promise<void> {
  const probe = async (): Promise<string | undefined> => {
    const taken = await share(version, other, 1);
    return taken === 1 ? undefined : `${version} takes ${taken}`;
  };
  await waitUntil(`${version} takes all of the queue`, probe, { timeoutMs: 60_000 });
}

clusterSetup(
  both,
  async () => {
    await Promise.all([
      mesh.apply(
        ...server('queue'),
        ...client('caller'),
        ...client('mailer', { replicas: REPLICAS, container: { command: COMMAND } }),
        ...readers(),
      ),
      outside.apply(...HOOKS.flatMap((type) => server(type))),
    ]);
    await Promise.all([
      ...['queue', 'caller', 'mailer'].map((name) => mesh.rolledOut(name)),
      mesh.run('rollout', 'status', 'statefulset/reader', '--timeout=120s'),
      ...HOOKS.map((name) => outside.rolledOut(name)),
    ]);
    await says('rollback', false);
    const webhooks = HOOKS.map((type) => ({ type, name: type, url: `http://${type}.${outside.name}/` }));
    const analysis = { interval: '2s', threshold: 2, traffic: 'None', stepWeights: [1, 50], metrics: [], webhooks };
    const ofReader = { ...analysis, stepWeights: [50], webhooks: webhooks.filter(({ type }) => type === 'rollout') };
    await mesh.apply(
      canaryOf('mailer', analysis),
      canaryOf('reader', ofReader, { targetRef: { kind: 'StatefulSet', name: 'reader' } }),
    );
    for (const name of ['mailer', 'reader']) await until(({ phase }) => phase === 'Initialized', 60, name);
  },
  150_000,
);

afterEach(async () => {
  await inside.behave(await testbedPods(outside, 'app!=rollback'), { errors: false });
  await says('rollback', false);
});

describe('a worker', () => {
  clusterTest(
    'takes its share of the queue by its pods, where its hooks let it, stands still while suspended, and is promoted',
    both,
    async () => {
      await says('confirm-rollout', false);
      await says('confirm-traffic-increase', false);
      await release('VERSION=v2');
      const asking = await until((status) => conditionLine(status, 'Waiting').includes('confirm-rollout says no (403'));
      expect(asking).toMatchObject({ phase: 'Waiting', verdict: 'AwaitingConfirmation' });
      await says('confirm-rollout', true);

      // One pod beside four.
      await until((status) => conditionLine(status, 'Waiting').includes('confirm-traffic-increase says no (403'));
      const first = await share('v2', 'v1', 6);
      expect(first).toBeGreaterThan(0.12);
      expect(first).toBeLessThan(0.28);

      await patch({ suspend: true });
      const standing = await until(({ verdict }) => verdict === 'Suspended');
      await says('confirm-traffic-increase', true);
      // Two intervals.
      await new Promise((resolve) => setTimeout(resolve, 4500));
      expect(await until(() => true)).toMatchObject({
        verdict: 'Suspended',
        step: standing.step,
        weight: standing.weight,
      });
      await says('confirm-traffic-increase', false);
      await patch({ suspend: false });
      await until((status) => conditionLine(status, 'Waiting').includes('confirm-traffic-increase says no (403'));
      await says('confirm-traffic-increase', true);

      // Half as many as there are, beside all of these.
      await until(({ step, verdict }) => step === 1 && verdict !== 'AwaitingCapacity');
      await until(({ phase }) => phase === 'Succeeded');
      await mesh.rolledOut('mailer');
      await takesAll('v2', 'v1');
    },
    240_000,
  );

  clusterTest(
    'that its rollout hook finds fault with is given up, which kubectl rollout status tells, and takes nothing more',
    both,
    async () => {
      await says('rollout', false);
      await mesh.run('set', 'env', 'statefulset/reader', 'VERSION=w2');
      await release('VERSION=v3');
      const rollout = mesh.kubectl.try(['-n', mesh.name, 'rollout', 'status', 'deployment/mailer', '--timeout=120s'], {
        timeoutMs: 130_000,
      });
      await untilFailed(/^True ThresholdReached: .*rollout hook rollout says no/);
      const { code, stderr } = await rollout;
      expect([code, stderr]).toEqual([1, expect.stringContaining('exceeded its progress deadline')]);
      await mesh.waitFor<{ status: { replicas?: number } }>('deployment', 'mailer', ({ status }) =>
        status.replicas === REPLICAS ? undefined : JSON.stringify(status),
      );
      await takesAll('v2', 'v3');

      // A StatefulSet's pod goes back.
      const { stableRevision } = await untilFailed(/rollout hook rollout says no/, 'reader');
      await waitUntil('the pods of the StatefulSet are of the old revision', async () => {
        const revisions = await readerRevisions();
        return revisions.join() === `${stableRevision},${stableRevision}` ? undefined : revisions.join();
      });
      await takesAll('w1', 'w2');
    },
    150_000,
  );

  clusterTest(
    'that crashes is given up at once, while all the old ones work on; and so is one that its rollback hook takes back',
    both,
    async () => {
      await release('VERSION=v4', 'CRASH=1');
      await untilFailed(/^True PodsCrash: .*crashes again and again/);
      await takesAll('v2', 'v4');

      await says('confirm-traffic-increase', false);
      await release('VERSION=v4', 'CRASH-');
      await until((status) => conditionLine(status, 'Waiting').includes('confirm-traffic-increase says no (403'));
      await says('rollback', true);
      await untilFailed(/^True RolledBack: .*: rollback hook rollback says yes$/);
      await says('rollback', false);
    },
    300_000,
  );

  clusterTest(
    'is released at once where its analysis is skipped, whatever its hooks say',
    both,
    async () => {
      await patch({ skipAnalysis: true });
      await says('rollout', false);
      await says('confirm-traffic-increase', false);
      await release('VERSION=v5');
      const outcomes = ({ history = [] }: CanaryStatus) => history.map(({ outcome }) => outcome).sort();
      const done = await until((status) => outcomes(status).includes('ReleasedUntried'));
      expect(outcomes(done)).toEqual(['GivenUp', 'GivenUp', 'GivenUp', 'Promoted', 'ReleasedUntried']);
      await until(({ phase }) => phase === 'Succeeded');
      await mesh.rolledOut('mailer');
      await takesAll('v5', 'v2');
    },
    150_000,
  );
});
