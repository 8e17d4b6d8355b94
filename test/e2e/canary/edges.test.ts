import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { type CanaryObject, orders, ordersCanary, release, waitForPhase } from '../support/canary-fixture.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client, type LoadReport } from '../support/testbed-client.ts';
import { client } from '../support/testbed-objects.ts';

const mesh = useNamespace('edges');
const inside = new Client(mesh, 'deployment/caller');

type Status = NonNullable<CanaryObject['status']>;

async function status(): Promise<Status> {
  const canary = await mesh.get<CanaryObject>('canary', 'orders');
  return canary?.status ?? {};
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until the revision under analysis gets requests, and gives the status. */
async function underAnalysis(besides?: string): Promise<Status> {
  const { status: found = {} } = await mesh.waitFor<CanaryObject>(
    'canary',
    'orders',
    ({ status: now = {} }) => {
      const begun = now.canaryRevision !== undefined && now.canaryRevision !== besides && (now.weight ?? 0) > 0;
      return begun ? undefined : JSON.stringify(now);
    },
    { timeoutMs: 100_000, everyMs: 200 },
  );
  return found;
}

/** A low load beside some work, until the work is done. */
const beside = async (work: () => Promise<unknown>): Promise<LoadReport> =>
  (await inside.loadDuring('http://orders/', { rate: 30, bodyBytes: 64 }, work))[0];

/** Gives what is said instead. */
function saysNobodyCalls({ phase, verdict = '', conditions = [] }: Status = {}): string | undefined {
  const message = conditions.find(({ type }) => type === 'Waiting')?.message ?? '';
  const said = phase === 'Waiting' && /^(InsufficientTraffic|NoMeshClients)$/.test(verdict) && message !== '';
  return said ? undefined : `${phase} ${verdict}: ${message}`;
}

/** From now on there is somebody who calls. */
async function withCaller(): Promise<void> {
  await mesh.apply(...client('caller'));
  await mesh.rolledOut('caller');
}

/** Reasons of the events about the Canary. */
async function eventReasons(): Promise<string[]> {
  const args = ['get', 'events', '--field-selector', 'involvedObject.kind=Canary,involvedObject.name=orders'];
  const { items } = JSON.parse(await mesh.run(...args, '-o', 'json')) as { items: { reason: string }[] };
  return [...new Set(items.map(({ reason }) => reason))];
}

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(...orders(2));
    await mesh.rolledOut('orders');
    await mesh.apply(ordersCanary({ stepWeights: [50, 100] }));
    await waitForPhase(mesh, ['Initialized'], 60);
  },
  120_000,
);

describe('a release', () => {
  clusterTest(
    'that nobody calls waits and says so, and is promoted once there are requests',
    [mesh],
    async () => {
      await release(mesh, 'VERSION=v2');
      await mesh.waitFor<CanaryObject>('canary', 'orders', ({ status: now }) => saysNobodyCalls(now), {
        timeoutMs: 100_000,
      });
      for (let look = 0; look < 5; look++) {
        await pause(1000);
        const now = await status();
        expect(now.phase).toMatch(/^(Waiting|Progressing)$/);
        if (now.phase === 'Waiting') expect(saysNobodyCalls(now)).toBeUndefined();
      }
      await withCaller();
      const { failures, versions } = await beside(() => waitForPhase(mesh, ['Succeeded'], 150));
      expect(failures).toEqual({});
      expect(Object.keys(versions)).toContain('v2');
    },
    200_000,
  );

  clusterTest(
    'that is overtaken by another template begins anew with that one, and the first is never stable',
    [mesh],
    async () => {
      await withCaller();
      const { stableRevision } = await status();
      const story = async (): Promise<void> => {
        await release(mesh, 'VERSION=v3');
        const first = await underAnalysis();
        expect(first.stableRevision).toBe(stableRevision);
        await release(mesh, 'VERSION=v4');
        await mesh.waitFor<CanaryObject>(
          'canary',
          'orders',
          ({ status: now = {} }) => {
            const other = now.canaryRevision !== undefined && now.canaryRevision !== first.canaryRevision;
            return other ? undefined : JSON.stringify(now);
          },
          { everyMs: 200 },
        );
        const second = await status();
        expect(second).toMatchObject({ step: 0, failedChecks: 0, stableRevision });
        const { status: end } = await waitForPhase(mesh, ['Succeeded', 'Failed'], 150);
        expect(end).toMatchObject({ phase: 'Succeeded', stableRevision: second.canaryRevision });
        expect(end?.recentRevisions).not.toContain(first.canaryRevision);
      };
      expect((await beside(story)).failures).toEqual({});
      const { versions } = await inside.load('http://orders/', { rate: 20, seconds: 1 });
      expect(Object.keys(versions)).toEqual(['v4']);
    },
    200_000,
  );

  clusterTest(
    'whose status is wiped in the middle is found again, and no request is lost',
    [mesh],
    async () => {
      await withCaller();
      const story = async (): Promise<void> => {
        await release(mesh, 'VERSION=v5');
        const before = await underAnalysis();
        const wipe = JSON.stringify([{ op: 'replace', path: '/status', value: {} }]);
        await mesh.run('patch', 'canary', 'orders', '--subresource=status', '--type=json', '-p', wipe);
        await waitUntil('a status', async () => ((await status()).phase === undefined ? 'none' : undefined));
        const after = await underAnalysis();
        const { stableRevision, canaryRevision } = before;
        expect(after).toMatchObject({ stableRevision, canaryRevision });
        expect(after.ungatedRevisions).not.toContain(canaryRevision);
        const { status: end } = await waitForPhase(mesh, ['Succeeded', 'Failed'], 150);
        expect(end).toMatchObject({ phase: 'Succeeded', stableRevision: canaryRevision });
      };
      const { failures, versions } = await beside(story);
      expect(failures).toEqual({});
      expect(Object.keys(versions).every((version) => ['v4', 'v5'].includes(version))).toBe(true);
    },
    200_000,
  );
});

describe('what a person sees', () => {
  clusterTest('kubectl get canary: the columns, and figures in them', [mesh], async () => {
    const [head = '', row = ''] = (await mesh.run('get', 'canary', 'orders')).trim().split('\n');
    expect(head.split(/\s+/)).toEqual(['NAME', 'PHASE', 'WEIGHT', 'SUCCESS', 'P99', 'REQUESTS', 'VERDICT', 'AGE']);
    expect(row).toMatch(/^orders +Succeeded +0 +100% +[\d.]+ms +\d+ +Passed +\w+$/);
  });

  clusterTest('an event at each change', [mesh], async () => {
    const reasons = await eventReasons();
    expect(reasons).toEqual(
      expect.arrayContaining([
        'Initialized',
        'NewRevision',
        'WeightSet',
        'CheckPassed',
        'Promoting',
        'GatesOpen',
        'Superseded',
        'Succeeded',
      ]),
    );
    expect(reasons.join()).toMatch(/InsufficientTraffic|NoMeshClients/);
  });
});
