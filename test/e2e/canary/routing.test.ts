import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { credibleRange } from '../../feature/support/binomial.ts';
import { type CanaryObject, ordersCanary, waitForPhase } from '../support/canary-fixture.ts';
import { programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { destinationRule, virtualService } from '../support/networking-object.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client, type ManyReport } from '../support/testbed-client.ts';
import { client, server, versionedServer } from '../support/testbed-objects.ts';
import { testbedPods } from '../support/testbed-pods.ts';

const mesh = useNamespace('canary-routes');
const caller = new Client(mesh, 'deployment/caller');
const URL = 'http://orders/';
const JASON = { 'end-user': 'jason' };
const WEIGHT = 30;

/** A conflict is what is tried again: no failure in the eyes of the Canary. */
const retries = { attempts: 6, retryOn: 'retriable-4xx', backoff: '1ms', retryIgnorePreviousHosts: false };
const rules: readonly object[] = [
  destinationRule('orders', { host: 'orders', subsets: [{ name: 'live', labels: { version: 'live' } }] }),
  virtualService('orders', {
    hosts: ['orders'],
    http: [
      {
        match: [{ headers: { 'end-user': { exact: 'jason' } } }],
        route: [{ destination: { host: 'orders', subset: 'live' } }],
        retries,
      },
      {
        route: [{ destination: { host: 'orders' } }],
        retries,
        mirror: { host: 'shadow' },
        mirrorPercentage: { value: 100 },
      },
    ],
  }),
];

clusterSetup(
  [mesh],
  async () => {
    const live = { replicas: 2, version: 'v1' };
    await mesh.apply(
      ...versionedServer('orders', { live, legacy: { version: 'legacy' } }),
      ...server('shadow'),
      ...client('caller'),
      ...rules,
    );
    await Promise.all(['orders-live', 'orders-legacy', 'shadow', 'caller'].map((name) => mesh.rolledOut(name)));
    await mesh.apply(
      ordersCanary(
        { interval: '4s', threshold: 1, stepWeights: [WEIGHT] },
        { targetRef: { kind: 'Deployment', name: 'orders-live' } },
      ),
    );
    await waitForPhase(mesh, ['Initialized'], 60);
    await programmed(mesh, 'destinationrule', 'orders');
    await programmed(mesh, 'virtualservice', 'orders');
  },
  240_000,
);

const release = (version: string): Promise<string> =>
  mesh.run('set', 'env', 'deployment/orders-live', `VERSION=${version}`);
const suspend = (suspended: boolean): Promise<string> =>
  mesh.run('patch', 'canary', 'orders', '--type=merge', '-p', JSON.stringify({ spec: { suspend: suspended } }));
const weightIs = (weight: number): Promise<CanaryObject> =>
  mesh.waitFor<CanaryObject>(
    'canary',
    'orders',
    ({ status = {} }) => (status.weight === weight ? undefined : JSON.stringify(status)),
    { timeoutMs: 100_000, everyMs: 200 },
  );

/** Waits until the caller's Envoy has the weight, on both routes. */
async function routed(weight: number): Promise<void> {
  const revision = (await mesh.get<CanaryObject>('canary', 'orders'))?.status?.canaryRevision;
  const admin = new ProxyAdmin(mesh, 'deployment/caller');
  await waitUntil(`routes with a weight of ${weight}`, async () => {
    const routes = JSON.stringify(await admin.config('dynamic_route_configs', '80'));
    const missing = ['', 'live'].filter((subset) => {
      const name = `outbound|80|${subset}|orders.${mesh.name}.svc.cluster.local|${revision}`;
      return !routes.includes(JSON.stringify({ name, weight }).slice(1, -1));
    });
    return missing.length === 0 ? undefined : `not of ${missing.length} of 2 subsets`;
  });
}

/** Requests by both routes, again and again until `until` is through. */
async function whileWaiting(until: Promise<unknown>): Promise<{ everybody: ManyReport[]; jason: ManyReport[] }> {
  let over = false;
  const settled = until.finally(() => {
    over = true;
  });
  const [everybody, jason]: [ManyReport[], ManyReport[]] = [[], []];
  const spec = { url: URL, count: 60, concurrency: 2, gapMs: 50, answers: 120 };
  const call = async (): Promise<void> => {
    while (!over) {
      const [one, other] = await caller.plan([spec, { ...spec, headers: JASON }], { concurrent: true });
      everybody.push(one);
      jason.push(other);
    }
  };
  await Promise.all([settled, call()]);
  return { everybody, jason };
}

const failures = (reports: readonly ManyReport[]): object[] =>
  reports.flatMap(({ answers }) => answers.filter(({ status, error }) => status !== 200 || error !== undefined));

const versions = (reports: readonly ManyReport[]): string[] =>
  [...new Set(reports.flatMap((report) => Object.keys(report.versions)))].sort();

/** Both routes at a weight that stays as it is. */
async function expectShares(next: string, weight: number): Promise<void> {
  const count = 300;
  const ask = { url: URL, count, concurrency: 4 };
  const shadow = await testbedPods(mesh, 'app=shadow');
  const key = `mirror-${next}`;
  const [everybody, jason, retried, retriedJason] = await caller.plan([
    { ...ask, headers: { 'x-key': key } },
    { ...ask, headers: JASON },
    // Each pod fails the first request of a key.
    { url: `${URL}?key=${next}-{i}&fail=1&failStatus=409`, count: 20 },
    { url: `${URL}?key=${next}-jason-{i}&fail=1&failStatus=409`, count: 20, headers: JASON },
  ]);
  expect([everybody, jason, retried, retriedJason].map(({ ok, sent }) => sent - ok)).toEqual([0, 0, 0, 0]);
  for (const { answers } of [retried, retriedJason]) expect(answers[0]?.echo?.attempt).toBe(2);
  const { least, most } = credibleRange(count, weight / 100);
  for (const report of [everybody, jason]) {
    expect(report.versions[next]).toBeGreaterThanOrEqual(least);
    expect(report.versions[next]).toBeLessThanOrEqual(most);
  }
  expect(Object.keys(everybody.versions)).toContain('legacy');
  expect(Object.keys(jason.versions)).not.toContain('legacy');
  await waitUntil('all mirrored requests', async () => {
    const [seen] = await caller.seen(shadow, key);
    return seen?.count === count ? undefined : `${seen?.count} of ${count}`;
  });
}

describe('a release under routes, subsets, retries and a mirror', () => {
  clusterTest(
    'that is good splits every route by its weight, and passes without a request lost',
    [mesh],
    async () => {
      const story = async (): Promise<void> => {
        await release('v2');
        await weightIs(WEIGHT);
        await suspend(true);
        await routed(WEIGHT);
        await expectShares('v2', WEIGHT);
        await suspend(false);
        await waitForPhase(mesh, ['Succeeded', 'Failed'], 150);
      };
      const { everybody, jason } = await whileWaiting(story());
      expect(failures([...everybody, ...jason])).toEqual([]);
      expect(versions(everybody)).toEqual(['legacy', 'v1', 'v2']);
      expect(versions(jason)).toEqual(['v1', 'v2']);
      expect(await waitForPhase(mesh, ['Succeeded'], 1)).toMatchObject({ status: { phase: 'Succeeded' } });
      await mesh.rolledOut('orders-live');
      const [after] = await caller.plan([{ url: URL, count: 100, headers: JASON }]);
      expect(after.versions).toEqual({ v2: 100 });
    },
    240_000,
  );

  clusterTest(
    'that is bad is stopped, and the routes hold',
    [mesh],
    async () => {
      const old = (await testbedPods(mesh, 'app=orders')).map(({ name }) => name);
      const story = async (): Promise<void> => {
        await release('v3');
        await waitUntil('errors of the new pods', async () => {
          const pods = (await testbedPods(mesh, 'app=orders')).filter(({ name }) => !old.includes(name));
          if (pods.length === 0) return 'no new pods';
          await caller.behave(pods, { errors: true, status: 500 });
          return undefined;
        });
        await waitForPhase(mesh, ['Succeeded', 'Failed'], 150);
      };
      const { everybody, jason } = await whileWaiting(story());
      expect(await waitForPhase(mesh, ['Failed'], 1)).toMatchObject({ status: { phase: 'Failed', weight: 0 } });
      expect(versions(jason)).not.toContain('legacy');
      // Nothing but the new revision's own answers failed.
      expect(failures([...everybody, ...jason]).filter((answer) => !JSON.stringify(answer).includes('"v3"'))).toEqual(
        [],
      );
      const [afterwards, byJason] = await caller.plan([
        { url: URL, count: 200 },
        { url: URL, count: 200, headers: JASON },
      ]);
      expect(Object.keys(afterwards.versions).sort()).toEqual(['legacy', 'v2']);
      expect(byJason.versions).toEqual({ v2: 200 });
    },
    240_000,
  );
});
