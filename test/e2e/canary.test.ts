import { describe, expect } from '@jest/globals';
import { waitFor, waitUntil } from '../../hack/mesh/wait.ts';
import {
  type CanaryObject,
  type DeploymentObject,
  orders,
  ordersCanary,
  release,
  waitForPhase,
} from './support/canary-fixture.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { Client } from './support/testbed-client.ts';
import { client } from './support/testbed-objects.ts';

const mesh = useNamespace('canary');
const outside = useNamespace('plain', {});
const inside = new Client(mesh, 'deployment/caller');
const outsider = new Client(outside, 'deployment/caller');
const both = [mesh, outside];

const read = async (): Promise<CanaryObject> => {
  const canary = await mesh.get<CanaryObject>('canary', 'orders');
  if (canary === undefined) throw new Error('there is no canary orders');
  return canary;
};

const deployment = async (): Promise<DeploymentObject> => {
  const found = await mesh.get<DeploymentObject>('deployment', 'orders');
  if (found === undefined) throw new Error('there is no deployment orders');
  return found;
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Follows the Canary until the phase; gives the weights and the phases it went through. */
async function follow(until: readonly string[], seconds: number): Promise<{ weights: number[]; phases: string[] }> {
  const weights: number[] = [];
  const phases: string[] = [];
  await waitFor(
    `phase ${until.join(' or ')}`,
    async () => {
      const { status } = await read();
      if (status?.weight !== undefined && weights.at(-1) !== status.weight) weights.push(status.weight);
      if (status?.phase !== undefined && phases.at(-1) !== status.phase) phases.push(status.phase);
      if (status?.canaryRevision === undefined && phases.length === 1) throw new Error('not begun');
      return until.includes(status?.phase ?? '') ? true : undefined;
    },
    { timeoutMs: seconds * 1000, everyMs: 150 },
  );
  return { weights, phases };
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
      const loads = Promise.all([
        inside.load('http://orders/', { rate: 150, seconds: 100 }),
        outsider.load(`http://orders.${mesh.name}/`, { rate: 50, seconds: 100 }),
      ]);
      await pause(3000);
      await release(mesh, 'VERSION=v2');
      const story = follow(['Succeeded', 'Failed'], 90);
      await waitUntil('50 %', async () => ((await read()).status?.weight === 50 ? undefined : 'not yet'), {
        timeoutMs: 60_000,
      });
      await mesh.run('scale', 'deployment/orders', '--replicas=6');
      await pause(5000);
      await mesh.run('scale', 'deployment/orders', '--replicas=4');
      const { weights, phases } = await story;
      expect(phases.at(-1)).toBe('Succeeded');
      expect(weights.filter((weight) => weight > 0)).toEqual(expect.arrayContaining([5, 50]));
      expect(Math.min(...weights.filter((weight) => weight > 0))).toBe(5);
      await mesh.rolledOut('orders');
      const [fromMesh, fromOutside] = await loads;
      expect(fromMesh.failures).toEqual({});
      expect(fromOutside.failures).toEqual({});
      expect(fromMesh.sent).toBeGreaterThan(14_000);
      const after = await inside.load('http://orders/', { rate: 50, seconds: 2 });
      expect(after.failures).toEqual({});
    },
    260_000,
  );

  clusterTest(
    'that is bad is stopped at 5 %, gets nothing afterwards, and kubectl rollout status exits 1',
    both,
    async () => {
      const before = inside.load('http://orders/', { rate: 100, seconds: 45 });
      await release(mesh, 'VERSION=v3', 'ERROR_RATE=0.4');
      const status = mesh.kubectl
        .try(['-n', mesh.name, 'rollout', 'status', 'deployment/orders', '--timeout=120s'])
        .then(({ code }) => ({ code, at: performance.now() }));
      const { weights, phases } = await follow(['Failed', 'Succeeded'], 90);
      const verdictAt = performance.now();
      expect(phases.at(-1)).toBe('Failed');
      expect(Math.max(...weights)).toBe(5);
      expect((await read()).status?.weight).toBe(0);
      await pause(Math.max(0, 1000 - (performance.now() - verdictAt)));
      const afterwards = await inside.load('http://orders/', { rate: 100, seconds: 5 });
      expect(afterwards.failures).toEqual({});
      expect(Object.keys(afterwards.versions)).not.toContain('v3');
      const ended = await status;
      expect(ended.code).toBe(1);
      expect((ended.at - verdictAt) / 1000).toBeLessThan(5);
      await before;
      // Outside of the mesh nobody has seen it at all: its pods were never Ready.
      const plain = await outsider.load(`http://orders.${mesh.name}/`, { rate: 50, seconds: 2 });
      expect(plain.failures).toEqual({});
    },
    240_000,
  );

  clusterTest('reverted in git is Initialized again, and the bad pods go', both, async () => {
    await release(mesh, 'VERSION=v2', 'ERROR_RATE-');
    await waitForPhase(mesh, ['Initialized', 'Succeeded'], 60);
    await mesh.rolledOut('orders');
    expect((await read()).status?.weight ?? 0).toBe(0);
  });

  clusterTest(
    'goes on when the operator is killed in the middle',
    both,
    async () => {
      const load = inside.load('http://orders/', { rate: 100, seconds: 80 });
      await release(mesh, 'VERSION=v4');
      await waitUntil('5 %', async () => ((await read()).status?.weight === 5 ? undefined : 'not yet'));
      await mesh.kubectl.run([
        '-n',
        'heddle-system',
        'delete',
        'pod',
        '-l',
        'app.kubernetes.io/name=heddle-operator',
        '--grace-period=0',
        '--force',
      ]);
      await waitForPhase(mesh, ['Succeeded'], 120);
      expect((await load).failures).toEqual({});
    },
    240_000,
  );

  clusterTest(
    'whose Canary is deleted in the middle goes on as any Deployment, and borrowed fields are put back',
    both,
    async () => {
      const load = inside.load('http://orders/', { rate: 50, seconds: 40 });
      await release(mesh, 'VERSION=v5');
      await waitUntil('5 %', async () => ((await read()).status?.weight === 5 ? undefined : 'not yet'));
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
      expect((await load).failures).toEqual({});
    },
    240_000,
  );
});

describe('bad input', () => {
  const refusals: [string, object, RegExp][] = [
    ['a weight over 100', ordersCanary({ stepWeights: [5, 150] }), /stepWeights/],
    ['a negative interval', ordersCanary({ interval: '-5s' }), /interval/],
    ['two ways of stepping', ordersCanary({ stepWeight: 10 }), /stepWeight/],
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
      return found?.reason === reason && found.message !== '' ? undefined : JSON.stringify(status?.conditions);
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
