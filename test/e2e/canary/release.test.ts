import { describe, expect } from '@jest/globals';
import { SIDE_ANNOTATION } from '../../../api/canary-side.ts';
import type { KubectlResult } from '../../../hack/mesh/kubectl.ts';
import { waitFor, waitUntil } from '../../../hack/mesh/wait.ts';
import {
  type CanaryObject,
  type DeploymentObject,
  orders,
  ordersCanary,
  release,
  waitForPhase,
} from '../support/canary-fixture.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client } from '../support/testbed-client.ts';
import { client } from '../support/testbed-objects.ts';

const mesh = useNamespace('canary');
const outside = useNamespace('plain', {});
const inside = new Client(mesh, 'deployment/caller');
const outsider = new Client(outside, 'deployment/caller');
const both = [mesh, outside];

/** A release of a few steps of 5 s is over in a minute; on a slow machine its pods alone may take that long. */
const RELEASE_MS = 200_000;

type Status = NonNullable<CanaryObject['status']>;

const status = async (): Promise<Status> => (await mesh.get<CanaryObject>('canary', 'orders'))?.status ?? {};

const deployment = async (): Promise<DeploymentObject> => {
  const found = await mesh.get<DeploymentObject>('deployment', 'orders');
  if (found === undefined) throw new Error('there is no deployment orders');
  return found;
};

/** Follows the release until it is over; gives the weights it went through, and where it ended. */
async function follow(): Promise<{ weights: number[]; end: Status }> {
  const { stableRevision, failedRevision } = await status();
  const weights: number[] = [];
  const end = await waitFor(
    'the end of the release',
    async () => {
      const now = await status();
      if (now.weight !== undefined && weights.at(-1) !== now.weight) weights.push(now.weight);
      const over =
        (now.phase === 'Succeeded' && now.stableRevision !== stableRevision) ||
        (now.phase === 'Failed' && now.failedRevision !== failedRevision);
      if (!over) throw new Error(JSON.stringify(now));
      return now;
    },
    { timeoutMs: RELEASE_MS, everyMs: 200 },
  );
  return { weights, end };
}

const weightIs = (weight: number): Promise<void> =>
  waitUntil(
    `${weight} %`,
    async () => {
      const now = await status();
      return now.weight === weight ? undefined : JSON.stringify(now);
    },
    { timeoutMs: RELEASE_MS, everyMs: 200 },
  );

/** Sees to it that a version serves and nothing is being released, whatever a test before left behind. */
async function atRest(version: string): Promise<void> {
  const { phase = '' } = await status();
  const env = await mesh.run('set', 'env', 'deployment/orders', '--list');
  if (/^(Initialized|Succeeded)$/.test(phase) && env.includes(`VERSION=${version}\n`)) return;
  const skip = (skipped: boolean): Promise<string> =>
    mesh.run('patch', 'canary', 'orders', '--type=merge', '-p', `{"spec":{"skipAnalysis":${skipped}}}`);
  await skip(true);
  await release(mesh, `VERSION=${version}`, 'ERROR_RATE-');
  await mesh.rolledOut('orders');
  await waitForPhase(mesh, ['Initialized', 'Succeeded'], 60);
  await skip(false);
}

/** Waits until the callers have no route to a revision any more. */
async function unrouted(revision: string): Promise<void> {
  const admin = new ProxyAdmin(mesh, 'deployment/caller');
  await waitUntil('no route to the revision', async () => {
    const routes = JSON.stringify(await admin.config('dynamic_route_configs', '80'));
    return routes.includes(`|${revision}"`) ? 'still there' : undefined;
  });
}

clusterSetup(
  both,
  async () => {
    await Promise.all([mesh.apply(...orders(), ...client('caller')), outside.apply(...client('caller'))]);
    await Promise.all([mesh.rolledOut('orders'), mesh.rolledOut('caller'), outside.rolledOut('caller')]);
    await mesh.apply(ordersCanary());
    await waitForPhase(mesh, ['Initialized'], 60);
  },
  240_000,
);

describe('a release', () => {
  clusterTest(
    'that is good goes 5 → 50 → 100 %, and no request is lost at 200/s while the target is scaled up and down',
    both,
    async () => {
      const story = async (): Promise<Awaited<ReturnType<typeof follow>>> => {
        const followed = follow();
        followed.catch(() => undefined);
        await release(mesh, 'VERSION=v2');
        await weightIs(50);
        await mesh.run('scale', 'deployment/orders', '--replicas=6');
        await mesh.waitFor<DeploymentObject>('deployment', 'orders', ({ status: { replicas = 0 } = {} }) =>
          replicas > 6 ? undefined : `${replicas} pods`,
        );
        await mesh.run('scale', 'deployment/orders', '--replicas=4');
        const found = await followed;
        await mesh.rolledOut('orders');
        return found;
      };
      const fromOutside = `http://orders.${mesh.name}/`;
      const [outsiders, [insiders, { weights, end }]] = await outsider.loadDuring(fromOutside, { rate: 50 }, () =>
        inside.loadDuring('http://orders/', { rate: 150 }, story),
      );
      expect(end).toMatchObject({ phase: 'Succeeded' });
      expect(weights.filter((weight) => weight > 0)).toEqual(expect.arrayContaining([5, 50]));
      expect(Math.min(...weights.filter((weight) => weight > 0))).toBe(5);
      expect(insiders.examples).toEqual([]);
      expect(outsiders.examples).toEqual([]);
      expect(Object.keys(insiders.versions).sort()).toEqual(['v1', 'v2']);
      const after = await inside.load('http://orders/', { rate: 50, seconds: 1 });
      expect(after.failures).toEqual({});
      expect(Object.keys(after.versions)).toEqual(['v2']);
    },
    300_000,
  );

  /** Releases what fails four of ten requests, and sees it fail. */
  async function fails(version: string): Promise<{ weights: number[]; end: Status; rollout: KubectlResult }> {
    const [{ failures }, found] = await inside.loadDuring('http://orders/', { rate: 100 }, async () => {
      const followed = follow();
      followed.catch(() => undefined);
      await release(mesh, `VERSION=${version}`, 'ERROR_RATE=0.4');
      const [rollout, story] = await Promise.all([
        mesh.kubectl.try(['-n', mesh.name, 'rollout', 'status', 'deployment/orders', '--timeout=250s'], {
          timeoutMs: 260_000,
        }),
        followed,
      ]);
      await unrouted(story.end.failedRevision ?? '');
      return { ...story, rollout };
    });
    // What the revision itself answered, and nothing else.
    expect(Object.keys(failures)).toEqual(['500']);
    return found;
  }

  clusterTest(
    'that is bad is stopped at 5 %, gets nothing afterwards, and kubectl rollout status exits 1',
    both,
    async () => {
      await atRest('v2');
      const { weights, end, rollout } = await fails('v3');
      expect(end).toMatchObject({ phase: 'Failed', weight: 0 });
      expect(Math.max(...weights)).toBe(5);
      const afterwards = await inside.load('http://orders/', { rate: 100, seconds: 3 });
      expect(afterwards.failures).toEqual({});
      expect(Object.keys(afterwards.versions)).toEqual(['v2']);
      expect(rollout.code).toBe(1);
      // By the verdict, not by its own patience.
      expect(rollout.stderr).toContain('exceeded its progress deadline');
      // Outside of the mesh nobody has seen it at all: its pods were never Ready.
      const plain = await outsider.load(`http://orders.${mesh.name}/`, { rate: 50, seconds: 2 });
      expect(plain.failures).toEqual({});
    },
    300_000,
  );

  clusterTest(
    'reverted in git is Initialized again, and the bad pods go',
    both,
    async () => {
      if ((await status()).phase !== 'Failed') await fails('v3');
      const { stableRevision, failedRevision } = await status();
      await mesh.run('rollout', 'undo', 'deployment/orders');
      await waitForPhase(mesh, ['Initialized', 'Succeeded'], 60);
      await mesh.rolledOut('orders');
      expect(await status()).toMatchObject({ stableRevision, weight: 0 });
      await waitUntil('the bad pods are gone', async () => {
        const pods = await mesh.list('pods', `app=orders,pod-template-hash=${failedRevision}`);
        return pods.length === 0 ? undefined : `${pods.length} pods`;
      });
    },
    300_000,
  );

  clusterTest(
    'whose Canary is deleted in the middle goes on as any Deployment, and borrowed fields are put back',
    both,
    async () => {
      await atRest('v2');
      const [{ failures }] = await inside.loadDuring('http://orders/', { rate: 50 }, async () => {
        await release(mesh, 'VERSION=v5');
        await weightIs(5);
        expect((await deployment()).spec.strategy.rollingUpdate.maxUnavailable).toBe(0);
        await mesh.run('delete', 'canary', 'orders');
        await mesh.rolledOut('orders');
        await waitUntil('fields put back', async () => {
          const { rollingUpdate } = (await deployment()).spec.strategy;
          return rollingUpdate.maxSurge === '25%' && rollingUpdate.maxUnavailable === '25%'
            ? undefined
            : JSON.stringify(rollingUpdate);
        });
        expect((await deployment()).spec.progressDeadlineSeconds).toBe(600);
      });
      expect(failures).toEqual({});
    },
    240_000,
  );
});

const addressOf = (side: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'orders-side', annotations: { [SIDE_ANNOTATION]: side } },
  spec: { selector: { app: 'orders' }, ports: [{ name: 'http', port: 80 }] },
});

describe('bad input', () => {
  const refusals: [string, object, RegExp][] = [
    ['a weight over 100', ordersCanary({ stepWeights: [5, 150] }), /stepWeights/],
    ['a negative interval', ordersCanary({ interval: '-5s' }), /interval/],
    ['two ways of stepping', ordersCanary({ stepWeight: 10 }), /stepWeight/],
    ['an address of neither side', addressOf('new'), /canary\.heddle\.dev\/side\]: "new" is no side/],
  ];
  for (const [what, object, message] of refusals) {
    clusterTest(`${what} is refused with the field named`, [mesh], async () => {
      const { code, stderr } = await mesh.kubectl.try(['apply', '-n', mesh.name, '-f', '-'], {
        input: JSON.stringify(object),
      });
      expect(code).not.toBe(0);
      expect(stderr).toMatch(message);
    });
  }

  const named = (name: string, target: string): object => ({
    ...ordersCanary({}, { targetRef: { kind: 'Deployment', name: target } }),
    metadata: { name },
  });

  const conditionReason = (name: string, type: string, reason: string): Promise<unknown> =>
    mesh.waitFor<CanaryObject>('canary', name, ({ status }) => {
      const found = status?.conditions?.find((condition) => condition.type === type);
      return found?.reason === reason && found.message !== '' ? undefined : JSON.stringify(status?.conditions ?? []);
    });

  clusterTest(
    'a target that is missing, recreates its pods, or is outside the mesh is told in a condition',
    [mesh],
    async () => {
      const [, plain] = orders(1) as [object, { metadata: object; spec: object }];
      const recreate = JSON.parse(JSON.stringify(plain).replaceAll('orders', 'recreate')) as { spec: object };
      const foreign = JSON.parse(JSON.stringify(plain).replaceAll('orders', 'foreign')) as {
        spec: { template: { metadata: { labels: Record<string, string> } } };
      };
      foreign.spec.template.metadata.labels['sidecar.istio.io/inject'] = 'false';
      await mesh.apply({ ...recreate, spec: { ...recreate.spec, strategy: { type: 'Recreate' } } }, foreign);
      await mesh.apply(named('missing', 'nobody'), named('recreate', 'recreate'), named('foreign', 'foreign'));
      await conditionReason('missing', 'TargetReady', 'TargetMissing');
      await conditionReason('recreate', 'TargetReady', 'TargetUnsupported');
      await conditionReason('foreign', 'TargetReady', 'TargetUnsupported');
      await mesh.rolledOut('foreign');
      expect((await inside.http('http://orders/')).status).toBe(200);
    },
  );
});
