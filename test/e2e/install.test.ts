import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { orders, ordersCanary, waitForPhase } from './support/canary-fixture.ts';
import { heddle, where } from './support/heddle-command.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { Client } from './support/testbed-client.ts';
import { client, server } from './support/testbed-objects.ts';

const mesh = useNamespace('install');
const istio = useNamespace('of-istio', { 'istio.io/rev': 'default', 'istio-injection': 'enabled' });
const outside = useNamespace('plain', {});
const inside = new Client(mesh, 'deployment/caller');
const { kubectl } = mesh;

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly securityContext: { readonly runAsNonRoot?: boolean };
        readonly containers: readonly {
          readonly securityContext: {
            readonly readOnlyRootFilesystem?: boolean;
            readonly allowPrivilegeEscalation?: boolean;
            readonly capabilities?: { readonly drop?: readonly string[] };
          };
        }[];
      };
    };
  };
}

const pod = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'a', image: 'a' }] },
  });

clusterSetup([mesh, outside], async () => {
  await outside.apply(...client('caller'));
  await outside.rolledOut('caller');
  await mesh.apply(...server('echo', { replicas: 2 }), ...client('caller'), ...orders(2));
  await Promise.all(['echo', 'caller', 'orders'].map((name) => mesh.rolledOut(name)));
  await mesh.apply(ordersCanary());
  await waitForPhase(mesh, ['Initialized'], 60);
});

describe('an installation', () => {
  clusterTest('runs without root, capabilities or a writable file system', [], async () => {
    for (const name of ['heddle-operator', 'heddle-webhook']) {
      const { spec } = await kubectl.json<Deployment>(['get', 'deployment', '-n', 'heddle-system', name]);
      expect(spec.template.spec.securityContext.runAsNonRoot).toBe(true);
      for (const { securityContext } of spec.template.spec.containers) {
        expect(securityContext.readOnlyRootFilesystem).toBe(true);
        expect(securityContext.allowPrivilegeEscalation).toBe(false);
        expect(securityContext.capabilities?.drop).toEqual(['ALL']);
      }
    }
  });

  clusterTest('may not read the Secrets of others, nor change what is not its own', [mesh], async () => {
    const may = async (account: string, ...question: string[]): Promise<string> => {
      const args = ['auth', 'can-i', ...question, '--as', `system:serviceaccount:heddle-system:${account}`];
      return (await kubectl.try(args)).stdout.trim();
    };
    for (const account of ['heddle-operator', 'heddle-webhook']) {
      expect(await may(account, 'get', 'secrets', '-n', mesh.name)).toBe('no');
      expect(await may(account, 'create', 'pods', '-n', mesh.name)).toBe('no');
      expect(await may(account, 'delete', 'deployments', '-n', mesh.name)).toBe('no');
      expect(await may(account, 'get', 'secrets', '-n', 'kube-system')).toBe('no');
    }
    expect(await may('heddle-webhook', 'patch', 'deployments', '-n', mesh.name)).toBe('no');
    expect(await may('heddle-webhook', 'get', 'secrets/heddle-ca', '-n', 'heddle-system')).toBe('no');
  });

  clusterTest('fills in a caBundle that somebody cleared, within seconds', [], async () => {
    const patch = '[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]';
    const name = ['mutatingwebhookconfiguration', 'heddle-webhook'];
    await kubectl.run(['patch', ...name, '--type=json', '-p', patch]);
    await waitUntil(
      'the caBundle',
      async () => {
        const text = await kubectl.run(['get', ...name, '-o', 'jsonpath={.webhooks[0].clientConfig.caBundle}']);
        return text === '' ? 'empty' : undefined;
      },
      { timeoutMs: 60_000 },
    );
  });

  clusterTest('leaves the namespaces of another Istio revision alone', [istio], async () => {
    const made = await kubectl.run(['create', '-n', istio.name, '--dry-run=server', '-o', 'json', '-f', '-'], {
      input: pod('a'),
    });
    expect(made).not.toContain('istio-proxy');
  });

  clusterTest('garbage on the xDS port and at the webhook disturbs nobody', [mesh, outside], async () => {
    const garbage = await outside.run('exec', 'deployment/caller', '-c', 'app', '--', 'node', '-e', GARBAGE);
    expect(garbage.trim()).toBe('closed closed');
    expect((await inside.http('http://echo/')).status).toBe(200);
    const pods = await kubectl.run(['get', 'pods', '-n', 'heddle-system', '--no-headers']);
    for (const line of pods.trim().split('\n')) expect(line).toMatch(/ 1\/1 +Running +0 /);
  });

  clusterTest(
    'that is deleted leaves no finalizer, the objects of users, and running pods that serve',
    [mesh],
    async () => {
      const [{ failures }] = await inside.loadDuring('http://echo/', { rate: 50 }, async () => {
        const removed = await heddle('uninstall', '--yes', ...where);
        expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('Heddle is removed') });
        const strategy = await mesh.run('get', 'deployment/orders', '-o', 'jsonpath={.spec.strategy.rollingUpdate}');
        expect(JSON.parse(strategy)).toEqual({ maxSurge: '25%', maxUnavailable: '25%' });
        expect((await kubectl.try(['get', 'namespace', 'heddle-system'])).stderr).toContain('NotFound');
        expect(await mesh.run('get', 'canary', 'orders', '-o', 'name')).toContain('orders');
      });
      expect(failures).toEqual({});
      const made = await kubectl.run(['create', '-n', mesh.name, '--dry-run=server', '-o', 'json', '-f', '-'], {
        input: pod('after'),
      });
      expect(made).not.toContain('istio-proxy');
      const installed = await heddle('install', ...where);
      expect(installed).toMatchObject({ code: 0, stdout: expect.stringContaining('is installed') });
      // Sidecars of before hold the root of before; what check says is of interest once their pods are new.
      await mesh.run('rollout', 'restart', 'deployment');
      await Promise.all(['echo', 'caller', 'orders'].map((name) => mesh.rolledOut(name)));
      expect(await heddle('check', '--wait', '2m', ...where)).toMatchObject({ code: 0 });
      const seen = await inside.echo('http://echo/');
      expect(seen.headers['x-forwarded-client-cert']).toContain('sa/caller');
    },
    400_000,
  );
});

const GARBAGE = `
const send = (host, port) => new Promise((done) => {
  const socket = require('net').connect(port, host, () => socket.write('GET / HTTP/1.1\\r\\n\\r\\n' + 'x'.repeat(100000)));
  socket.on('error', () => {}).on('close', () => done('closed'));
  setTimeout(() => { done('open'); socket.destroy(); }, 15000);
});
Promise.all([send('heddle-operator.heddle-system', 15012), send('heddle-webhook.heddle-system', 443)]).then((r) => { console.log(r.join(' ')); process.exit(0); });
`;
