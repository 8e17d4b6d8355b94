import { describe, expect } from '@jest/globals';
import { COMMAND_ANNOTATION } from '../../../api/canary-command.ts';
import { type CanaryObject, conditionLine, ordersCanary, release, waitForPhase } from '../support/canary-fixture.ts';
import { OrdersTarget } from '../support/canary-target.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client, type LoadReport } from '../support/testbed-client.ts';
import { CONTROL_OUTSIDE_MESH, client, server, sideAddress } from '../support/testbed-objects.ts';
import { testbedPods } from '../support/testbed-pods.ts';

const mesh = useNamespace('control');
/** Hooks are asked by the operator, which has no sidecar. */
const outside = useNamespace('gates', {});
const inside = new Client(mesh, 'deployment/caller');
const both = [mesh, outside];

type Status = NonNullable<CanaryObject['status']>;

const target = new OrdersTarget(mesh, 'Deployment');
const until = (check: (status: Status) => boolean): Promise<Status> => target.when(check, 120);

/** Gives a command as a person does; waits until it is answered and its annotation gone. */
async function command(value: string, result = 'Done'): Promise<Status> {
  await mesh.run('annotate', 'canary', 'orders', `${COMMAND_ANNOTATION}=${value}`);
  const status = await until(({ command: last }) => last?.value === value && last.removed === true);
  expect(status.command).toMatchObject({ value, result });
  return status;
}

/** Load that lasts as long as some work. */
const beside = async (work: () => Promise<unknown>): Promise<LoadReport> =>
  (await inside.loadDuring('http://orders/', { rate: 50, bodyBytes: 64 }, work))[0];

/** Versions that answer one second from now on; no request fails. */
async function oneSecondLater(): Promise<string[]> {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const urls = ['http://orders/', 'http://orders-canary/'];
  const loads = await Promise.all(urls.map((url) => inside.load(url, { rate: 50, seconds: 2 })));
  expect(loads.map(({ failures }) => failures)).toEqual([{}, {}]);
  return [...new Set(loads.flatMap(({ versions }) => Object.keys(versions)))];
}

const gate = async (open: boolean): Promise<void> => {
  await inside.behave(await testbedPods(outside, 'app=gate'), { errors: !open, status: 403 });
};

/** How often pods saw a key; without a selector those of the hooks. */
const asked = async (key: string, selector?: string): Promise<number> => {
  const pods = selector === undefined ? await testbedPods(outside, 'app=gate') : await testbedPods(mesh, selector);
  const seen = await inside.seen(pods, key);
  return seen.reduce((sum, { count }) => sum + count, 0);
};

/** A hook whose program has a sidecar, and asks the new revision by its address: a smoke test before the first request. */
const smoke = {
  type: 'pre-rollout',
  name: 'smoke',
  url: `http://prober.${mesh.name}/call?url=${encodeURIComponent('http://orders-canary/?key=smoke')}`,
};

/** Has the pods of a revision fail, or work. */
const fails = async (revision: string, errors: boolean): Promise<void> => {
  await inside.behave(await testbedPods(mesh, `app=orders,pod-template-hash=${revision}`), { errors, status: 500 });
};

const alertProvider = (name: string, spec: object): object => ({
  apiVersion: 'heddle.dev/v1alpha1',
  kind: 'AlertProvider',
  metadata: { name },
  spec,
});

const delivered = async (name: string, reason: string): Promise<void> => {
  await mesh.waitFor<CanaryObject>('alertprovider', name, ({ status = {} }) =>
    conditionLine(status, 'Delivered').includes(` ${reason}: `) ? undefined : JSON.stringify(status),
  );
};

clusterSetup(
  both,
  async () => {
    await Promise.all([
      mesh.apply(
        ...server('orders', { replicas: 2, version: 'v1', annotations: CONTROL_OUTSIDE_MESH }),
        sideAddress('orders', 'canary'),
        ...client('caller'),
        ...server('prober'),
      ),
      outside.apply(...server('gate')),
    ]);
    await Promise.all([
      ...['orders', 'caller', 'prober'].map((name) => mesh.rolledOut(name)),
      outside.rolledOut('gate'),
    ]);
    const hook = (type: string) => ({ type, name: type, url: `http://gate.${outside.name}/?key=${type}` });
    const webhooks = [smoke, ...['confirm-promotion', 'post-rollout', 'event'].map(hook)];
    const alerts = ['chat', 'locked'].map((name) => ({ name, providerRef: { name } }));
    await mesh.apply(
      alertProvider('chat', { type: 'webhook', address: `http://gate.${outside.name}/?key=alert` }),
      alertProvider('locked', { type: 'slack', secretRef: { name: 'locked' } }),
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'locked' },
        stringData: { address: 'https://chat.example/' },
      },
      // So many that what ends a failed revision is that nobody is answered, whatever a window has of before.
      ordersCanary({ stepWeights: [50], threshold: 5, webhooks, alerts, rollbackWindow: '60s' }),
    );
    await waitForPhase(mesh, ['Initialized'], 60);
  },
  120_000,
);

describe('a release', () => {
  clusterTest(
    'waits for its hook, pauses, is promoted, and taken back at once when it fails in the rollback window',
    both,
    async () => {
      await gate(false);
      let revision = '';
      const { failures } = await beside(async () => {
        await release(mesh, 'VERSION=v2');
        const waiting = await until(({ verdict }) => verdict === 'AwaitingConfirmation');
        expect(waiting).toMatchObject({ phase: 'Waiting', weight: 50 });
        revision = waiting.canaryRevision ?? '';
        expect(await asked('smoke', `app=orders,pod-template-hash=${revision}`)).toBe(1);
        expect(await asked('smoke', `app=orders,pod-template-hash=${waiting.stableRevision}`)).toBe(0);
        await until((status) => conditionLine(status, 'Waiting').includes('confirm-promotion says no (403'));
        expect(await asked('confirm-promotion')).toBeGreaterThan(0);

        await command('pause');
        await gate(true);
        expect(await until(({ verdict }) => verdict === 'Paused')).toMatchObject({ phase: 'Waiting', weight: 50 });
        await command('resume');
        const promoted = await until(({ rollbackWindow, weight }) => rollbackWindow !== undefined && weight === 100);
        expect(promoted).toMatchObject({ phase: 'Promoting', canaryRevision: revision });
        expect(promoted.ungatedRevisions).not.toContain(revision);

        await fails(revision, true);
        const failed = await until(({ phase }) => phase === 'Failed');
        expect(failed).toMatchObject({ weight: 0, failedRevision: revision });
        expect(conditionLine(failed, 'Failed')).toMatch(/^True NoRequestSucceeds: .*after the promotion/);
        expect(await oneSecondLater()).toEqual(['v1']);
      });
      // What the revision itself answered once it was told to, and nothing else.
      expect(Object.keys(failures)).toEqual(['500']);
      await until(({ postRollout }) => postRollout === undefined);
      expect(await asked('post-rollout')).toBe(1);
      expect(await asked('event')).toBeGreaterThan(5);
    },
    200_000,
  );

  clusterTest(
    'that failed is retried, and promoted by hand, also past the rest of its rollback window',
    both,
    async () => {
      const { failedRevision: revision = '' } = await until(({ phase }) => phase === 'Failed');
      await fails(revision, false);
      const { failures, versions } = await beside(async () => {
        await command('promote', 'Refused');
        await command('retry');
        await until(({ weight }) => weight === 50);
        await command('promote');
        await until(({ rollbackWindow }) => rollbackWindow !== undefined);
        await command('promote');
        const { status } = await waitForPhase(mesh, ['Succeeded', 'Failed'], 90);
        expect(status).toMatchObject({ phase: 'Succeeded', stableRevision: revision });
        await mesh.rolledOut('orders');
        expect(await oneSecondLater()).toEqual(['v2']);
      });
      expect(failures).toEqual({});
      expect(Object.keys(versions).sort()).toEqual(['v1', 'v2']);
    },
    200_000,
  );

  clusterTest(
    'waits for another Canary, is aborted by hand, and gets nothing one second later',
    both,
    async () => {
      const { failures } = await beside(async () => {
        const dependOn = (dependsOn: object[] | null): Promise<string> =>
          mesh.run('patch', 'canary', 'orders', '--type=merge', '-p', JSON.stringify({ spec: { dependsOn } }));
        await expect(dependOn([{ name: 'orders' }])).rejects.toThrow('spec.dependsOn[0]');
        await dependOn([{ name: 'nobody' }]);
        await release(mesh, 'VERSION=v3');
        const waiting = await until(({ verdict }) => verdict === 'AwaitingDependencies');
        expect(waiting).toMatchObject({ phase: 'Waiting', weight: 0 });
        expect(conditionLine(waiting, 'Waiting')).toContain(`there is no Canary ${mesh.name}/nobody`);
        await dependOn(null);
        await until(({ weight }) => weight === 50);
        const failed = await command('abort');
        expect(failed).toMatchObject({ phase: 'Failed', weight: 0 });
        expect(conditionLine(failed, 'Failed')).toMatch(/^True Aborted: /);
        expect(await oneSecondLater()).toEqual(['v2']);
      });
      expect(failures).toEqual({});
    },
    150_000,
  );

  clusterTest('tells people, where it may, and says where it may not', both, async () => {
    await delivered('chat', 'Taken');
    expect(await asked('alert')).toBeGreaterThan(5);
    await delivered('locked', 'SecretForbidden');
    const events = await mesh.run('get', 'events', '--field-selector', 'reason=AlertFailed', '-o', 'name');
    expect(events).not.toBe('');
  });
});
