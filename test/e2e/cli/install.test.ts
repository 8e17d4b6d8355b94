import { describe, expect } from '@jest/globals';
import { parse } from 'yaml';
import { readManifests } from '../../../cli/install/manifests.ts';
import { heddle, heddleReading, where } from '../support/heddle-command.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client } from '../support/testbed-client.ts';
import { client, server } from '../support/testbed-objects.ts';

const mesh = useNamespace('cli-check');
/** Whose pods get their sidecars from a file alone. */
const unlabelled = useNamespace('cli-inject', {});

const { base, istioDefinitions } = await readManifests();
const yaml = (objects: readonly object[]): string => objects.map((object) => JSON.stringify(object)).join('\n---\n');

clusterSetup([mesh, unlabelled], async () => {
  await mesh.apply(...server('echo'), ...client('caller'));
  await Promise.all(['echo', 'caller'].map((name) => mesh.rolledOut(name)));
});

interface Report {
  readonly success: boolean;
  readonly findings: readonly { readonly category: string; readonly level: string; readonly message: string }[];
}

describe('heddle check', () => {
  clusterTest('finds nothing wrong, and has the API server try the whole way to a sidecar', [mesh], async () => {
    const { stdout, stderr } = await heddle('check', '-n', mesh.name, '-o', 'json', ...where);
    expect(stderr).toBe('');
    const report = JSON.parse(stdout) as Report;
    expect(report.findings.filter(({ level }) => level === 'failed')).toEqual([]);
    const said = report.findings.map(({ message }) => message).join('\n');
    expect(said).toContain(`a pod in namespace ${mesh.name} would get its sidecar`);
    expect(said).toMatch(/pod heddle-webhook-\S+ shows a certificate that the caBundle verifies/);
    expect(said).toMatch(/ROOT \(ConfigMap \S+\) expires in \d+ d/);
    expect(said).toContain('the sidecars of 2 pods have their configuration');
    const kinds = new Set([...base, ...istioDefinitions].map(({ kind }) => kind)).size;
    expect((await heddle('check', '--pre', ...where)).stdout).toMatch(
      new RegExp(`✓ you may make all ${kinds} kinds .*\n✓ you may grant its roles`),
    );
  });

  clusterTest('names a pod of before, and what to do', [mesh], async () => {
    await mesh.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'old', labels: { 'heddle.dev/inject': 'false' } },
      spec: { containers: [{ name: 'a', image: 'none/none:none' }] },
    });
    await mesh.run('label', 'pod', 'old', 'heddle.dev/inject-');
    const { code, stdout } = await heddle('check', '-n', mesh.name, ...where);
    expect(stdout).toContain(`! 1 pods have no sidecar: ${mesh.name}/old\n  next: `);
    expect(code).toBe(0);
  });

  clusterTest('says with code 3 that nobody answers', [], async () => {
    const { code, stderr } = await heddle('check', '--kubeconfig', '/nowhere');
    expect([code, stderr.includes('next: ')]).toEqual([3, true]);
  });
});

describe('heddle inject', () => {
  clusterTest(
    'makes files whose pods are in the mesh without a label on their namespace',
    [unlabelled, mesh],
    async () => {
      const plain = yaml([...server('echo'), ...client('caller')]);
      const injected = await heddleReading(plain, 'inject', '-', ...where);
      expect(injected.stderr).toMatch(/^✓ Deployment echo injected$/m);
      await unlabelled.apply(injected.stdout);
      await Promise.all(['echo', 'caller'].map((name) => unlabelled.rolledOut(name)));
      const seen = await new Client(unlabelled, 'deployment/caller').echo('http://echo/');
      expect(seen.headers['x-forwarded-client-cert']).toContain(`ns/${unlabelled.name}/sa/caller`);
      // The same in a labelled namespace: the webhook finds its work done.
      const made = await mesh.kubectl.run(['create', '-n', mesh.name, '--dry-run=server', '-o', 'json', '-f', '-'], {
        input: (await heddleReading(POD, 'inject', '-', ...where)).stdout,
      });
      const { spec } = JSON.parse(made) as {
        spec: { initContainers: { name: string }[]; volumes: { name: string }[] };
      };
      expect(spec.initContainers.map(({ name }) => name)).toEqual(['heddle-init', 'istio-proxy']);
      const live = await unlabelled.run('get', 'deployment', 'echo', '-o', 'yaml');
      const back = await heddleReading(live, 'uninject', '-');
      const { spec: plainSpec } = parse(back.stdout) as { spec: object };
      expect(JSON.stringify(plainSpec)).not.toMatch(/istio-proxy|heddle-init|before-injection/);
      await unlabelled.apply(back.stdout);
      await unlabelled.rolledOut('echo');
    },
  );
});

describe('heddle upgrade and uninstall', () => {
  clusterTest('tell what they would do, and do nothing', [], async () => {
    const path = '{range .items[*]}{.metadata.name} {.metadata.generation} {.data}{end}';
    const look = ['get', 'deployment,configmap', '-n', 'heddle-system', '-o', `jsonpath=${path}`];
    const before = await mesh.kubectl.run(look);
    const upgrade = await heddle('upgrade', '--dry-run', '--replicas', '2', '--set', 'proxy.logLevel=info', ...where);
    expect(upgrade.stdout).toMatch(/~ Deployment heddle-system\/heddle-operator\n(.*\n)* {4}spec.replicas: 1 → 2\n/);
    expect(upgrade.stdout).toMatch(/ - {3}logLevel: warning\n +\+ {3}logLevel: info\n/);
    const uninstall = await heddle('uninstall', '--dry-run', ...where);
    expect(uninstall.stdout).toMatch(
      /^- Deployment heddle-system\/heddle-operator\n(- .*\n)*- Namespace heddle-system\n$/,
    );
    expect(uninstall.stdout).not.toContain('CustomResourceDefinition');
    expect(await heddle('uninstall', ...where)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('say --yes'),
    });
    expect(await heddle('install', ...where)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('next: heddle upgrade'),
    });
    expect(await mesh.kubectl.run(look)).toBe(before);
  });

  clusterTest('beside versions, certificates and names for shells', [mesh], async () => {
    expect((await heddle('version', ...where)).stdout).toMatch(/^client: \d+\.\d+\.\d+\nheddle-operator: /);
    const list = await heddle('cert', 'list', '--no-proxies', ...where);
    expect(list.stdout).toMatch(/\nWEBHOOK .*heddle-webhook.heddle-system.svc/);
    expect(list.stdout + list.stderr).not.toContain('PRIVATE');
    expect((await heddle('cert', 'status', ...where)).stdout).toMatch(/^NAME +PHASE .*\nroot-\S+ +Complete/);
    const names = await heddle('__complete', '--', 'check', ...where, '-n', mesh.name.slice(0, 10));
    expect(names.stdout).toContain(mesh.name);
  });
});

const POD = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a' },
  spec: { containers: [{ name: 'a', image: 'a', livenessProbe: { httpGet: { port: 80 } } }] },
});
