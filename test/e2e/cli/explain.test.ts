import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { inTree } from '../../../hack/mesh/install.ts';
import { programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { destinationRule, virtualService } from '../support/networking-object.ts';
import { Client } from '../support/testbed-client.ts';
import { client, versionedServer } from '../support/testbed-objects.ts';

const mesh = useNamespace('explain');
const outside = useNamespace('explain-plain', {});
const callers = { ui: new Client(mesh, 'deployment/ui'), batch: new Client(mesh, 'deployment/batch') };
const { HEDDLE_TEST_CONTEXT: context, HEDDLE_TEST_KUBECONFIG: kubeconfig } = process.env;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `heddle` as a person does. */
function heddle(...args: readonly string[]): Promise<Ran> {
  const env = { ...process.env, NODE_OPTIONS: '--no-warnings', ...(kubeconfig ? { KUBECONFIG: kubeconfig } : {}) };
  const where = context === undefined ? [] : ['--context', context];
  return new Promise((resolve) => {
    execFile(process.execPath, [inTree('cli/main.ts'), ...args, ...where], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr });
    });
  });
}

const security = (kind: string, name: string, spec: object): object => ({
  apiVersion: 'security.istio.io/v1',
  kind,
  metadata: { name },
  spec,
});

clusterSetup(
  [mesh, outside],
  async () => {
    await mesh.apply(...versionedServer('ordering', ['v1', 'v2']), ...client('ui'), ...client('batch'));
    await outside.apply(...client('stranger'));
    await mesh.apply(
      destinationRule('ordering', {
        host: 'ordering',
        subsets: ['v1', 'v2'].map((version) => ({ name: version, labels: { version } })),
      }),
      virtualService('ordering', {
        hosts: ['ordering'],
        http: [
          {
            name: 'beta',
            match: [{ headers: { 'x-user': { exact: 'ann' } } }],
            route: [{ destination: { host: 'ordering', subset: 'v2' } }],
          },
          { name: 'gone', match: [{ uri: { prefix: '/old' } }], directResponse: { status: 410 } },
          { name: 'rest', route: [{ destination: { host: 'ordering', subset: 'v1' } }], timeout: '7s' },
        ],
      }),
      security('PeerAuthentication', 'strict', { mtls: { mode: 'STRICT' } }),
      security('AuthorizationPolicy', 'no-admin', {
        selector: { matchLabels: { app: 'ordering' } },
        action: 'DENY',
        rules: [{ from: [{ source: { serviceAccounts: ['batch'] } }], to: [{ operation: { paths: ['/admin*'] } }] }],
      }),
    );
    await Promise.all(['ordering-v1', 'ordering-v2', 'ui', 'batch'].map((name) => mesh.rolledOut(name)));
    await outside.rolledOut('stranger');
    await programmed(mesh, 'peerauthentication', 'strict');
    await programmed(mesh, 'authorizationpolicy', 'no-admin');
    await programmed(mesh, 'virtualservice', 'ordering');
  },
  240_000,
);

/** Calls as they are explained, and as they are made. */
const CALLS = [
  { from: 'ui', path: '/cart', headers: {}, version: 'v1', status: 200 },
  { from: 'ui', path: '/admin/x', headers: { 'x-user': 'ann' }, version: 'v2', status: 200 },
  { from: 'batch', path: '/cart', headers: { 'x-user': 'ann' }, version: 'v2', status: 200 },
  { from: 'batch', path: '/admin/x', headers: {}, version: undefined, status: 403 },
  { from: 'ui', path: '/old', headers: {}, version: undefined, status: 410 },
] as const;

/** Every answer of the testbed carries the version of its server. */
function versionIn(body = ''): string | undefined {
  return body.startsWith('{') ? (JSON.parse(body) as { version?: string }).version : undefined;
}

interface Told {
  readonly verdict: string;
  readonly route?: { readonly rule: string };
  readonly outcomes: readonly {
    readonly end: string;
    readonly status?: number;
    readonly object?: object;
    readonly backend?: { subset: string };
  }[];
  readonly live: readonly { readonly ok: boolean; readonly text: string }[];
}

describe('heddle explain', () => {
  clusterTest('says of calls what becomes of them, and both sidecars have it so', [mesh], async () => {
    for (const { from, path, headers, version, status } of CALLS) {
      const options = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
      const url = `http://ordering${path}`;
      const { code, stdout, stderr } = await heddle(
        'explain',
        `deploy/${from}`,
        url,
        ...options,
        '-n',
        mesh.name,
        '-o',
        'json',
      );
      const told = JSON.parse(stdout || '{}') as Told;
      const made = await callers[from].http(url, { headers });
      expect([url, stderr, made.status, versionIn(made.body)]).toEqual([url, '', status, version]);
      expect([url, code, told.outcomes[0]?.status, told.outcomes[0]?.backend?.subset]).toEqual([
        url,
        status < 400 ? 0 : 1,
        status === 200 ? undefined : status,
        status === 403 ? 'v1' : version,
      ]);
      expect(told.live.filter(({ ok }) => !ok)).toEqual([]);
      // Of a route that answers by itself there is no server.
      expect(told.live.length).toBeGreaterThanOrEqual(status === 410 ? 1 : 3);
    }
  });

  clusterTest('names who refuses, in words', [mesh, outside], async () => {
    const { code, stdout } = await heddle(
      'explain',
      `${mesh.name}/batch`,
      'ordering:80',
      '--path',
      '/admin/x',
      '-n',
      mesh.name,
    );
    expect(code).toBe(1);
    expect(stdout).toContain(
      `REFUSED: the server's sidecar answers 403: rule 0 of AuthorizationPolicy ${mesh.name}/no-admin (DENY) matches`,
    );
    expect(stdout).toContain(`VirtualService ${mesh.name}/ordering, rule rest`);
    expect(stdout).toContain('timeout 7000 ms');
    expect(stdout).toContain(`hop: mutual TLS; the server takes STRICT by PeerAuthentication ${mesh.name}/strict`);
    const stranger = await heddle('explain', 'deploy/stranger', `http://ordering.${mesh.name}/`, '-n', outside.name);
    expect(stranger).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('the server takes mutual TLS of the mesh alone (STRICT)'),
    });
    const typo = await heddle('explain', 'deploy/uu', 'http://ordering/', '-n', mesh.name);
    expect(typo).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('next: did you mean') });
  });
});

describe('heddle describe and analyze', () => {
  clusterTest('describe says what applies to a Service and to a pod', [mesh], async () => {
    const service = await heddle('describe', 'service', 'ordering', '-n', mesh.name);
    expect(service).toMatchObject({ code: 0, stderr: '' });
    for (const part of [
      '80 http → http: http, by its name "http"',
      'subset v1 (1 pod); subset v2 (1 pod)',
      `AuthorizationPolicy ${mesh.name}/no-admin: DENY, 1 rule`,
      'STRICT',
      '2 ready',
    ]) {
      expect(service.stdout).toContain(part);
    }
    const pod = JSON.parse(
      (await heddle('describe', 'pod', 'deploy/ordering-v1', '-n', mesh.name, '-o', 'json')).stdout,
    );
    expect(pod).toMatchObject({
      workload: 'ordering-v1',
      sidecar: {
        started: true,
        identity: `cluster.local/ns/${mesh.name}/sa/ordering`,
        policies: { mtls: { mode: 'STRICT' } },
      },
      services: [`${mesh.name}/ordering`],
      live: [{ ok: true }],
    });
  });

  clusterTest(
    'analyze finds what a file would break, with code and line, and nothing wrong in the cluster',
    [mesh],
    async () => {
      const clean = await heddle('analyze', '-n', mesh.name, '--output-threshold', 'Error');
      expect(clean).toMatchObject({ code: 0, stdout: expect.stringContaining('No validation issues found') });
      const file = join(import.meta.dirname, '../../../cli/analyze/testdata/broken.yaml');
      const broken = await heddle('analyze', file, '--use-cluster', '-n', mesh.name);
      expect(broken).toMatchObject({ code: 1, stderr: '' });
      expect(broken.stdout).toMatch(/^Error \[IST0122\] \(VirtualService shop\/routes \S+broken\.yaml:8\)/m);
      expect(broken.stdout).toMatch(/^Error \[IST0101\] \(VirtualService shop\/strays \S+broken\.yaml:22\)/m);
    },
  );
});
