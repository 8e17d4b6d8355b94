import { describe, expect } from '@jest/globals';
import { SIDES } from '../../../api/canary-side.ts';
import { waitFor, waitUntil } from '../../../hack/mesh/wait.ts';
import { credibleRange } from '../../feature/support/binomial.ts';
import { type CanaryObject, ordersCanary, release, waitForPhase } from '../support/canary-fixture.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client, type ManyReport, type RequestSpec } from '../support/testbed-client.ts';
import { client, server, sideAddress } from '../support/testbed-objects.ts';
import { testbedPods } from '../support/testbed-pods.ts';

const mesh = useNamespace('strategies');
const caller = new Client(mesh, 'deployment/caller');
const URL = 'http://orders/';
const BETA = { 'x-beta': 'please' };
/** One after the other, in the order of the tests. */
const [V1, V2, V3, V4] = ['v1', 'v2', 'v3', 'v4'] as const;

type Status = NonNullable<CanaryObject['status']>;

const statusNow = async (): Promise<Status> => (await mesh.get<CanaryObject>('canary', 'orders'))?.status ?? {};
const suspend = (suspended: boolean): Promise<string> =>
  mesh.run('patch', 'canary', 'orders', '--type=merge', '-p', JSON.stringify({ spec: { suspend: suspended } }));

/** Waits until a step is in force on the callers, and holds it there for what is to be seen of it. */
async function during(holds: (status: Status) => boolean, look: () => Promise<void>): Promise<void> {
  await waitUntil(
    'the step',
    async () => {
      const now = await statusNow();
      return holds(now) && now.stepStartTime !== undefined ? undefined : JSON.stringify(now);
    },
    { timeoutMs: 100_000, everyMs: 100 },
  );
  await suspend(true);
  await look();
  await suspend(false);
}

async function versionsOf(options: Omit<RequestSpec, 'url'>, url = URL): Promise<ManyReport['versions']> {
  return (await caller.many(url, { concurrency: 4, ...options })).versions;
}

/** Who answers the addresses of the Canary's sides: that of the new revision, and that of the stable one. */
async function bySide(): Promise<readonly string[]> {
  const answers = await Promise.all(SIDES.map((side) => versionsOf({ count: 40 }, `http://orders-${side}/`)));
  return answers.map((versions) => Object.keys(versions).join());
}

async function succeeded(version: string): Promise<void> {
  await waitForPhase(mesh, ['Succeeded', 'Failed'], 120);
  expect(await statusNow()).toMatchObject({ phase: 'Succeeded', weight: 0 });
  await mesh.rolledOut('orders');
  expect(await versionsOf({ count: 40 })).toEqual({ [version]: 40 });
}

/** Makes the Canary one of another strategy. */
async function strategy(analysis: object): Promise<void> {
  await mesh.run('delete', 'canary', 'orders', '--ignore-not-found');
  await mesh.apply(ordersCanary({ interval: '3s', stepWeights: undefined, ...analysis }));
  await waitForPhase(mesh, ['Initialized'], 60);
}

clusterSetup(
  [mesh],
  async () => {
    const addresses = [sideAddress('orders', 'canary'), sideAddress('orders', 'stable')];
    await mesh.apply(...server('orders', { replicas: 2, version: V1 }), ...addresses, ...client('caller'));
    await Promise.all(['orders', 'caller'].map((name) => mesh.rolledOut(name)));
  },
  180_000,
);

describe('a release', () => {
  clusterTest(
    'by copies and then an A/B test gets those alone, and no request is lost',
    [mesh],
    async () => {
      await strategy({ iterations: 2, match: [{ headers: { 'x-beta': { exact: BETA['x-beta'] } } }], mirror: true });
      const old = (await testbedPods(mesh, 'app=orders')).map(({ name }) => name);
      const story = async (): Promise<void> => {
        await release(mesh, `VERSION=${V2}`);
        await during(
          ({ mirrorWeight }) => mirrorWeight === 100,
          async () => {
            const headers = { ...BETA, 'x-key': 'copied' };
            expect(await versionsOf({ count: 60, headers })).toEqual({ [V1]: 60 });
            const fresh = (await testbedPods(mesh, 'app=orders')).filter(({ name }) => !old.includes(name));
            await waitUntil('all copies', async () => {
              const seen = await caller.seen(fresh, 'copied');
              const count = seen.reduce((sum, one) => sum + one.count, 0);
              return count === 60 ? undefined : `${count} of 60`;
            });
          },
        );
        await during(
          ({ matched }) => matched === true,
          async () => {
            expect(await versionsOf({ count: 60, headers: BETA })).toEqual({ [V2]: 60 });
            expect(await versionsOf({ count: 60 })).toEqual({ [V1]: 60 });
            expect(await bySide()).toEqual([V2, V1]);
          },
        );
        await matchedUntilPromoted();
        await succeeded(V2);
      };
      const [load] = await caller.loadDuring(URL, { rate: 30 }, story);
      expect(load.examples).toEqual([]);
    },
    180_000,
  );

  clusterTest(
    'as blue/green gets nothing while it is checked, and then all at once',
    [mesh],
    async () => {
      await strategy({ iterations: 2 });
      const weights = new Set<number>();
      const story = async (): Promise<void> => {
        await release(mesh, `VERSION=${V3}`);
        await during(
          ({ iterations = 0 }) => iterations > 0,
          async () => {
            expect(await versionsOf({ count: 60 })).toEqual({ [V2]: 60 });
            expect(await bySide()).toEqual([V3, V2]);
          },
        );
        await waitFor(
          'the end of the release',
          async () => {
            const now = await statusNow();
            // Once the gates are open Kubernetes exchanges pods that nobody calls any more.
            if (now.ungatedRevisions?.includes(now.canaryRevision ?? '') !== true) weights.add(now.weight ?? 0);
            if (now.phase !== 'Succeeded' && now.phase !== 'Failed') throw new Error(JSON.stringify(now));
            return now;
          },
          { timeoutMs: 100_000, everyMs: 50 },
        );
        await succeeded(V3);
        expect(await bySide()).toEqual([V3, V3]);
      };
      const [load] = await caller.loadDuring(URL, { rate: 30 }, story);
      expect(load.examples).toEqual([]);
      expect([...weights].filter((weight) => weight !== 0 && weight !== 100)).toEqual([]);
    },
    180_000,
  );

  clusterTest(
    'with session affinity keeps every user whom it answered, while the weight moves',
    [mesh],
    async () => {
      await strategy({ stepWeights: [20, 70], sessionAffinity: { cookieName: 'seen', maxAge: 600 } });
      const story = async (): Promise<void> => {
        await release(mesh, `VERSION=${V4}`);
        await during(
          ({ weight }) => weight === 20,
          async () => {
            // Each without a cookie: somebody new.
            const { least, most } = credibleRange(400, 0.2);
            const seen = await versionsOf({ count: 400 });
            expect(seen[V4]).toBeGreaterThanOrEqual(least);
            expect(seen[V4]).toBeLessThanOrEqual(most);
          },
        );
        await succeeded(V4);
      };
      const seen = await usersWhile(story());
      const flips = seen.filter((versions) => versions.slice(versions.indexOf(V4)).includes(V3));
      expect(flips).toEqual([]);
      expect(seen.flat().length).toBeGreaterThan(1000);
      expect([...new Set(seen.flat())].sort()).toEqual([V3, V4]);
    },
    180_000,
  );
});

/** Requests that match, until the release is over: from the A/B test on all of them are the new revision's. */
async function matchedUntilPromoted(): Promise<void> {
  for (let over = false; !over; ) {
    expect(await versionsOf({ count: 40, headers: BETA })).toEqual({ [V2]: 40 });
    const { phase = '' } = await statusNow();
    over = ['Succeeded', 'Failed'].includes(phase);
  }
}

/** Thirty users with cookies of their own, who ask again and again until something is over. @returns by which versions each was answered, in order */
async function usersWhile(until: Promise<unknown>): Promise<string[][]> {
  let over = false;
  const settled = until.finally(() => {
    over = true;
  });
  const users = Array.from({ length: 30 }, () => ({ versions: [] as string[], cookie: '' }));
  const browse = async (): Promise<void> => {
    while (!over) {
      const specs = users.map(({ cookie }): RequestSpec => {
        const headers = cookie === '' ? {} : { headers: { cookie } };
        return { url: URL, count: 20, gapMs: 20, answers: 20, cookies: true, ...headers };
      });
      const reports: readonly ManyReport[] = await caller.plan(specs, { concurrent: true });
      for (const [index, { answers, sent, ok }] of reports.entries()) {
        const user = users[index];
        expect(ok).toBe(sent);
        for (const { headers, echo } of answers) {
          user?.versions.push(echo?.version ?? 'nobody');
          const [cookie] = /seen=[^;]+/.exec(headers?.['set-cookie'] ?? '') ?? [];
          if (user !== undefined && cookie !== undefined) user.cookie = cookie;
        }
      }
    }
  };
  await Promise.all([settled, browse()]);
  return users.map(({ versions }) => versions);
}
