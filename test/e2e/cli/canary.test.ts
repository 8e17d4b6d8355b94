import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { ordersCanary, release, waitForPhase } from '../support/canary-fixture.ts';
import { heddle, type Ran, where } from '../support/heddle-command.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client } from '../support/testbed-client.ts';
import { client, server } from '../support/testbed-objects.ts';

const mesh = useNamespace('cli');
const caller = new Client(mesh, 'deployment/caller');
const canary = (verb: string, ...args: readonly string[]): Promise<Ran> =>
  heddle('canary', verb, ...args, '-n', mesh.name, ...where);

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(...server('orders', { replicas: 2, version: 'v1' }), ...client('caller'));
    await Promise.all(['orders', 'caller'].map((name) => mesh.rolledOut(name)));
    await mesh.apply(ordersCanary({ stepWeights: [50], pauses: [{ afterStep: 1 }] }));
    await waitForPhase(mesh, ['Initialized'], 60);
  },
  180_000,
);

describe('heddle canary', () => {
  clusterTest('lists canaries, and says what is missing and what makes no sense', [mesh], async () => {
    const list = await canary('list');
    expect(list.stdout).toMatch(
      /^NAME +TARGET +PHASE +WEIGHT +SUCCESS +P99 +REQUESTS +VERDICT\norders +Deployment\/orders +Initialized +0%/,
    );
    expect(JSON.parse((await canary('list', '-o', 'json')).stdout)).toMatchObject({
      kind: 'List',
      items: [{ kind: 'Canary' }],
    });
    const missing = await canary('status', 'order');
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toBe(`error: there is no Canary order in namespace ${mesh.name}\nnext: there are: orders\n`);
    const refused = await canary('promote', 'orders');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^error: promote makes no sense now \(Initialized, nothing is being released\)/);
    expect(await canary('list', '-o', 'xml')).toMatchObject({ code: 2 });
  });

  clusterTest(
    'leads a release to its end, and replays how it was judged',
    [mesh],
    async () => {
      const story = async (): Promise<void> => {
        await release(mesh, 'VERSION=v2');
        await mesh.waitFor<{ status?: { hold?: object } }>('canary', 'orders', ({ status = {} }) =>
          status.hold ? undefined : JSON.stringify(status),
        );
        const paused = await canary('pause', 'orders');
        expect(paused).toMatchObject({ code: 0, stderr: '' });
        const { stdout } = await canary('status', 'orders');
        expect(stdout).toMatch(/REVISION +WEIGHT +SUCCESS +P99 +REQUESTS\n\S+ +stable +50%.*\n\S+ +new +50%/);
        expect(stdout).toMatch(/request-success-rate +100 /);
        expect(await canary('promote', 'orders')).toMatchObject({ code: 0, stderr: '' });
        expect(await canary('status', 'orders', '--watch')).toMatchObject({ code: 0 });
      };
      const [load] = await caller.loadDuring('http://orders/', { rate: 50 }, story);
      expect(load.failures).toEqual({});
      const history = await canary('history', 'orders');
      expect(history.stdout).toMatch(/^REVISION .*\n\S+ +\S+ +\S+Z +\S+ +Promoted +revision \S+ serves\n$/);
      const folder = await mkdtemp(join(tmpdir(), 'heddle-replay-'));
      const file = join(folder, 'orders.yaml');
      await writeFile(file, await mesh.run('get', 'canary', 'orders', '-o', 'yaml'));
      const replayed = await heddle('canary', 'replay', file);
      await rm(folder, { recursive: true });
      expect(replayed).toMatchObject({ code: 0, stderr: '' });
      expect(replayed.stdout).toMatch(/ 50% +\d+ +0 +Passed +Passed/);
    },
    240_000,
  );
});
