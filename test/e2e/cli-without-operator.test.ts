import { afterAll, describe, expect } from '@jest/globals';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { heddle, RunningHeddle, where } from './support/heddle-command.ts';
import { clusterTest, useNamespace } from './support/namespace.ts';
import { scaleOperator } from './support/operator-replicas.ts';

const mesh = useNamespace('look-alone');

describe('heddle, when the operator is gone', () => {
  afterAll(() => scaleOperator(mesh.kubectl, 1), 150_000);

  clusterTest(
    'says so with code 3 and what to do next; the dashboard goes on with the one that comes',
    [mesh],
    async () => {
      const dashboard = new RunningHeddle(['dashboard', '--port', '0', '--no-open', ...where]);
      const [url] = await dashboard.said(/http:\/\/localhost:\d+\//);
      expect((await fetch(`${url}api/control-plane`)).status).toBe(200);
      await scaleOperator(mesh.kubectl, 0);
      for (const command of [['status'], ['top', '--once'], ['dashboard', '--no-open', '--port', '0']]) {
        expect(await heddle(...command, ...where)).toEqual({
          code: 3,
          stdout: '',
          stderr:
            'error: no pod of the operator runs in namespace heddle-system\n' +
            'next: see why: kubectl -n heddle-system get pods, and heddle check\n',
        });
      }
      await expect(fetch(`${url}api/control-plane`)).rejects.toThrow();
      await scaleOperator(mesh.kubectl, 1);
      await waitUntil('the page', async () => {
        const { status } = await fetch(`${url}api/control-plane`).catch(() => ({ status: 0 }));
        return status === 200 ? undefined : `answered ${status}`;
      });
      expect((await heddle('status', '--wait', '--timeout', '60', ...where)).code).toBe(0);
      expect(await dashboard.interrupt()).toMatchObject({ code: 0 });
    },
  );
});
