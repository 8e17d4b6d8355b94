import { afterAll, describe, expect } from '@jest/globals';
import type { ProxiesView } from '../../api/view/control-plane-view.ts';
import type { GraphView } from '../../api/view/graph-view.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { type CanaryObject, orders, ordersCanary, release, waitForPhase } from './support/canary-fixture.ts';
import { inForceOn } from './support/conditions.ts';
import { Dashboard } from './support/dashboard.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { networking } from './support/networking-object.ts';
import {
  freezeReplica,
  killReplica,
  leader,
  operatorPods,
  proxiesByReplica,
  scaleOperator,
} from './support/operator-replicas.ts';
import { Client, type LoadReport } from './support/testbed-client.ts';
import { client } from './support/testbed-objects.ts';

const mesh = useNamespace('replicas');
const inside = new Client(mesh, 'deployment/caller');
/** Besides the caller: so many that each replica has some. */
const IDLE = 4;
const ORDERS = 2;
const PROXIES = IDLE + ORDERS + 1;
const CALLS = 60;
/** Longer than the test's setup and its first tests. */
const WINDOW_S = 540;

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(
      ...orders(ORDERS),
      ...client('caller'),
      ...client('idle', { replicas: IDLE }),
      networking('VirtualService', 'orders', {
        hosts: ['orders'],
        http: [{ timeout: '5s', route: [{ destination: { host: 'orders' } }] }],
      }),
    );
    await Promise.all(['orders', 'caller', 'idle'].map((name) => mesh.rolledOut(name)));
    await scaleOperator(mesh.kubectl, 2);
    await spread();
    await mesh.apply(ordersCanary({ stepWeights: [50, 100] }));
    await waitForPhase(mesh, ['Initialized'], 60);
  },
  300_000,
);

afterAll(() => scaleOperator(mesh.kubectl, 1), 150_000);

/** Waits until every replica has proxies: the one that had all lets some go, until one has gone to the other. */
async function spread(): Promise<void> {
  await waitUntil(
    'proxies at every replica',
    async () => {
      const counts = await proxiesByReplica(mesh.kubectl);
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      const isSpread = Object.values(counts).every((count) => count > 0) && total >= PROXIES;
      return isSpread ? undefined : JSON.stringify(counts);
    },
    { timeoutMs: 120_000, everyMs: 1000 },
  );
}

const stable = async (): Promise<string | undefined> =>
  (await mesh.get<CanaryObject>('canary', 'orders'))?.status?.stableRevision;

/** Releases a version under load, and gives what the load met with. @param meanwhile what happens once the new revision has traffic */
async function promoted(version: string, meanwhile: () => Promise<void>): Promise<LoadReport> {
  const before = await stable();
  const [load] = await inside.loadDuring('http://orders/', { rate: 40 }, async () => {
    await release(mesh, `VERSION=${version}`);
    await mesh.waitFor<CanaryObject>(
      'canary',
      'orders',
      ({ status = {} }) =>
        (status.weight ?? 0) > 0 && status.phase === 'Progressing' ? undefined : JSON.stringify(status),
      { timeoutMs: 100_000 },
    );
    await meanwhile();
    await waitForPhase(mesh, ['Succeeded'], 200);
    await mesh.rolledOut('orders');
  });
  expect(await stable()).not.toBe(before);
  return load;
}

/** What does not depend on whom one asks; the order and since when each of them counts do. */
function told({ nodes, edges, missing }: GraphView): object {
  const calls = edges.map(({ id, service, mtls, reporter, golden: { requests, failures }, answers }) => {
    return { id, service, mtls, reporter, requests, failures, answers };
  });
  const shown = nodes.map(({ id, kind, pods, connected, services }) => [
    id,
    { kind, pods, connected, services: services.toSorted() },
  ]);
  return {
    calls,
    shown: Object.fromEntries(shown),
    missing: missing.filter((text) => /^replica/.test(text) || text.includes(mesh.name)),
  };
}

describe('several replicas of the operator', () => {
  clusterTest('count what is in force on all proxies, whichever of them has their streams', [mesh], async () => {
    await inForceOn(mesh, 'virtualservice', 'orders', PROXIES);
    const timeout = { timeout: '6s', route: [{ destination: { host: 'orders' } }] };
    await mesh.apply(networking('VirtualService', 'orders', { hosts: ['orders'], http: [timeout] }));
    await inForceOn(mesh, 'virtualservice', 'orders', PROXIES);
  });

  clusterTest('show one graph, from whichever of them the page is', [mesh], async () => {
    const report = await inside.many('http://orders/', { count: CALLS, concurrency: 4 });
    expect(report.ok).toBe(CALLS);
    const pages = await Promise.all((await operatorPods(mesh.kubectl)).map((pod) => Dashboard.open(mesh.kubectl, pod)));
    try {
      expect(pages).toHaveLength(2);
      await waitUntil('the same graph from both', async () => {
        const [first, second] = await Promise.all(pages.map((page) => page.graph(mesh.name, WINDOW_S)));
        expect(told(first as GraphView)).toMatchObject({
          calls: [{ requests: CALLS, failures: 0, mtls: 'all', reporter: 'source' }],
          missing: [],
        });
        expect(first?.nodes.map(({ pods }) => pods).sort()).toEqual([1, ORDERS, IDLE]);
        expect(told(second as GraphView)).toEqual(told(first as GraphView));
        for (const page of pages) {
          const { proxies } = await page.get<ProxiesView>(`/api/proxies?namespace=${mesh.name}`);
          expect(proxies.filter(({ state }) => state !== 'synced')).toEqual([]);
          expect(proxies).toHaveLength(PROXIES);
        }
        return undefined;
      });
    } finally {
      await Promise.all(pages.map((page) => page.close()));
    }
  });

  clusterTest(
    'promote a release by the counts of all proxies, though the one that leads stands still in the midst of it, and dies',
    [mesh],
    async () => {
      const before = await leader(mesh.kubectl);
      let goOn = (): void => undefined;
      const { failures, versions } = await promoted('v2', async () => {
        goOn = await freezeReplica(before);
      });
      expect(failures).toEqual({});
      expect(Object.keys(versions).sort()).toEqual(['v1', 'v2']);
      const after = await leader(mesh.kubectl);
      expect(after).not.toBe(before);
      // It finds that it leads no more, and writes nothing of what it meant to.
      goOn();
      await killReplica(mesh.kubectl, before);
      expect(await leader(mesh.kubectl)).toBe(after);
      const { status } = (await mesh.get<CanaryObject>('canary', 'orders')) ?? {};
      expect(status?.phase).toBe('Succeeded');
    },
    400_000,
  );

  clusterTest(
    'go up and down in the midst of another, and lose nothing',
    [mesh],
    async () => {
      const { failures } = await promoted('v3', async () => {
        await scaleOperator(mesh.kubectl, 3);
        await scaleOperator(mesh.kubectl, 1);
      });
      expect(failures).toEqual({});
      const [only] = await operatorPods(mesh.kubectl);
      await waitUntil('all proxies at the one that is left', async () => {
        const counts = await proxiesByReplica(mesh.kubectl);
        return (counts[only ?? ''] ?? 0) >= PROXIES ? undefined : JSON.stringify(counts);
      });
      // The old pods are proxies of the mesh until they have ended.
      await inForceOn(mesh, 'virtualservice', 'orders', PROXIES);
    },
    400_000,
  );
});

describe('a single replica', () => {
  clusterTest(
    'that is killed in the midst of a release goes on with it when it comes again',
    [mesh],
    async () => {
      await scaleOperator(mesh.kubectl, 1);
      const [only = ''] = await operatorPods(mesh.kubectl);
      const { failures } = await promoted('v4', () => killReplica(mesh.kubectl, only));
      expect(failures).toEqual({});
      expect(await operatorPods(mesh.kubectl)).not.toContain(only);
    },
    400_000,
  );
});
