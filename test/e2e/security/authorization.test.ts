import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { waitFor, waitUntil } from '../../../hack/mesh/wait.ts';
import { REFUSED_METRIC } from '../../../proxy/names.ts';
import { METRICS_PORT } from '../../../proxy/ports.ts';
import { refusalCounts } from '../../feature/support/refusal-counts.ts';
import { condition, conditionMessage, programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client } from '../support/testbed-client.ts';
import { client, HTTP_PORT, server } from '../support/testbed-objects.ts';
import { type TestbedPod, testbedPods } from '../support/testbed-pods.ts';

const SAMPLE = join(import.meta.dirname, '../../../config/samples/security/authorization.yaml');
const KIND = 'authorizationpolicy';

const mesh = useNamespace('authz');
const outside = useNamespace('authz-plain', {});
const [ui, ordering] = ['ui', 'ordering'].map((name) => new Client(mesh, `deployment/${name}`)) as [Client, Client];
const outsider = new Client(outside, 'deployment/caller');

const policy = (name: string, spec: object, annotations: object = {}): object => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name, annotations },
  spec,
});

clusterSetup(
  [mesh, outside],
  async () => {
    await Promise.all([
      mesh.apply(...server('inventory'), ...client('ui'), ...client('ordering')),
      outside.apply(...client('caller')),
    ]);
    await Promise.all(['inventory', 'ui', 'ordering'].map((name) => mesh.rolledOut(name)));
    await outside.rolledOut('caller');
  },
  240_000,
);

describe('the sample: Inventory may be called by Ordering alone', () => {
  clusterTest('before it, everybody may', [mesh, outside], async () => {
    expect((await ui.http('http://inventory/')).status).toBe(200);
    expect((await outsider.http(`http://inventory.${mesh.name}/`)).status).toBe(200);
    await mesh.run('apply', '-f', SAMPLE);
    expect(await programmed(mesh, KIND, 'inventory')).toBe('in force on 1 of 1 proxy');
    await waitUntil('a refusal of UI', async () => {
      const { status } = await ui.http('http://inventory/');
      return status === 403 ? undefined : `${status}`;
    });
    await renewInventory();
    const table = await mesh.kubectl.run(['get', 'ap', '-n', mesh.name, 'inventory']);
    expect(table.split('\n')[0]).toMatch(/^NAME +ACTION +/);
  });

  clusterTest('Ordering may, by every protocol', [mesh], async () => {
    expect((await ordering.http('http://inventory/items?id=1', { method: 'POST', body: 'x' })).status).toBe(200);
    expect((await ordering.http2('http://inventory:81/')).status).toBe(200);
    expect((await ordering.grpc('http://inventory:81')).status).toBe(0);
    expect((await ordering.webSocket('http://inventory/')).body).toContain('hello');
    expect((await ordering.tcp('inventory:90', 'ping')).error).toBeUndefined();
    expect((await ordering.tcp('inventory:91')).body).toMatch(/^220/);
    expect((await ordering.tls('inventory:443', { sni: 'inventory' })).ok).toBe(1);
  });

  clusterTest('UI may not, by any path, method or header', [mesh], async () => {
    const { ip } = await inventoryPod();
    const identity = `By=spiffe://x;URI=spiffe://cluster.local/ns/${mesh.name}/sa/ordering`;
    const specs = [
      ...['/', '/items', '/%2e%2e/items', '//items', '/items;x', '/./items', '/items%2f..'].map((path) => ({
        url: `http://inventory${path}`,
      })),
      ...['POST', 'OPTIONS', 'HEAD', 'TRACE'].map((method) => ({ url: 'http://inventory/', method })),
      { url: 'http://inventory/', headers: { 'x-forwarded-client-cert': identity } },
      { url: 'http://inventory/', headers: { host: 'ordering' } },
      { url: 'http://inventory/', headers: { 'x-envoy-original-path': '/readyz', 'x-forwarded-for': '127.0.0.1' } },
      { url: `http://${ip}:${HTTP_PORT}/`, headers: { host: 'inventory' } },
      { url: 'http://inventory:81/', protocol: 'http2' as const },
    ];
    const reports = await ui.plan(specs);
    for (const [index, { statuses, ok, answers }] of reports.entries()) {
      expect({ of: specs[index], statuses, ok }).toEqual({ of: specs[index], statuses: { 403: 1 }, ok: 0 });
      if (specs[index]?.url === 'http://inventory/items') expect(answers[0]?.body).toBe('RBAC: access denied');
    }
    // PERMISSION_DENIED.
    expect((await ui.grpc('http://inventory:81')).status).toBe(7);
  });

  clusterTest('UI may not, by any other protocol, not even to hear a greeting', [mesh], async () => {
    const { ip } = await inventoryPod();
    expect((await ui.webSocket('http://inventory/')).error).toBeDefined();
    for (const [address, message] of [
      ['inventory:90', 'ping'],
      ['inventory:91', undefined],
      [`${ip}:9001`, undefined],
      [`${ip}:9000`, 'ping'],
    ] as const) {
      const { error, body } = await ui.tcp(address, message);
      expect({ address, answered: body ?? '', refused: error !== undefined }).toEqual({
        address,
        answered: '',
        refused: true,
      });
    }
    expect((await ui.tls('inventory:443', { sni: 'inventory' })).ok).toBe(0);
  });

  clusterTest('and the sidecar says which policy that was, in its log and to Prometheus', [mesh], async () => {
    const { name } = await inventoryPod();
    const caller = `spiffe://cluster.local/ns/${mesh.name}/sa/ui`;
    const decidedBy = `no ALLOW policy matched: AuthorizationPolicy ${mesh.name}/inventory`;
    const lines = await waitFor('lines on a request and on a handshake', async () => {
      const log = await mesh.run('logs', `pod/${name}`, '-c', 'istio-proxy');
      const told = log.split('\n').filter((line) => line.includes('"decided_by"'));
      const all = told.map((line) => JSON.parse(line) as Record<string, unknown>);
      const request = all.find(({ path, method }) => path === '/items' && method === 'GET');
      const handshake = all.find(({ transport_failure: failure }) => String(failure).includes('SAN'));
      if (request === undefined || handshake === undefined) throw new Error(log.slice(-2000));
      return [request, handshake];
    });
    for (const line of lines) expect(line).toMatchObject({ decided_by: decidedBy, source_principal: caller });
    const page = await new Client(mesh, 'deployment/inventory').http(
      `http://127.0.0.1:${METRICS_PORT}/stats/prometheus?filter=${REFUSED_METRIC}`,
    );
    const counts = refusalCounts(page.body ?? '');
    expect(counts[`AuthorizationPolicy ${mesh.name}/inventory no_allow_matched of 1`]).toBeGreaterThan(15);
  });

  clusterTest('nor may who has no sidecar', [mesh, outside], async () => {
    expect((await outsider.http(`http://inventory.${mesh.name}/`)).status).toBe(403);
    expect((await outsider.tcp(`inventory.${mesh.name}:90`, 'ping')).error).toBeDefined();
    const { error, body } = await outsider.tcp(`inventory.${mesh.name}:91`);
    expect({ body: body ?? '', refused: error !== undefined }).toEqual({ body: '', refused: true });
  });

  clusterTest('a DENY beside it goes first, and is about the ports of its Service', [mesh], async () => {
    const rules = [{ to: [{ operation: { methods: ['DELETE'], paths: ['/items/{*}'] } }] }];
    await mesh.apply(
      policy('no-deletes', { targetRefs: [{ kind: 'Service', name: 'inventory' }], action: 'DENY', rules }),
    );
    await programmed(mesh, KIND, 'no-deletes');
    await renewInventory();
    const [one, all, read] = await ordering.plan([
      { url: 'http://inventory/items/1', method: 'DELETE' },
      { url: 'http://inventory/items', method: 'DELETE' },
      { url: 'http://inventory/items/1' },
    ]);
    expect([one.statuses, all.statuses, read.statuses]).toEqual([{ 403: 1 }, { 200: 1 }, { 200: 1 }]);
    await mesh.run('delete', KIND, 'no-deletes');
  });

  clusterTest('without it, everybody may again', [mesh], async () => {
    await mesh.run('delete', KIND, 'inventory');
    await waitUntil('an answer to UI', async () => {
      const { status } = await ui.http('http://inventory/');
      return status === 200 ? undefined : `${status}`;
    });
  });
});

describe('what a policy says of itself', () => {
  clusterTest('a dry run decides nothing; that and others tell what they denied, or would have', [mesh], async () => {
    const dry = { 'istio.io/dry-run': 'true' };
    const paths = [{ to: [{ operation: { paths: ['/refused'] } }] }];
    await mesh.apply(
      policy('refuser', { selector: { matchLabels: { app: 'inventory' } }, action: 'DENY', rules: paths }),
      policy('trial', { selector: { matchLabels: { app: 'inventory' } }, action: 'DENY', rules: [{}] }, dry),
    );
    await Promise.all(['trial', 'refuser'].map((name) => programmed(mesh, KIND, name)));
    await renewInventory();
    expect((await ui.many('http://inventory/refused', { count: 10 })).statuses).toEqual({ 403: 10 });
    expect((await condition(mesh, KIND, 'trial', 'Accepted', 'True')).message).toContain('dry run');
    const admin = new ProxyAdmin(mesh, 'deployment/inventory');
    const counted = () => admin.total('dry_run.*shadow_denied');
    const before = await counted();
    expect((await ui.many('http://inventory/', { count: 20 })).ok).toBe(20);
    expect((await counted()) - before).toBe(20);
    // Judged anew once a minute.
    const tells = (name: string, sentence: RegExp, least: number) =>
      waitUntil(
        `${name} tells at least ${least}`,
        async () => {
          const { message } = await condition(mesh, KIND, name, 'Accepted', 'True');
          return Number(sentence.exec(message)?.[1]) >= least ? undefined : message;
        },
        { timeoutMs: 100_000 },
      );
    await Promise.all([
      tells('trial', /would have denied (\d+) of/, 20),
      tells('refuser', /It refused (\d+) requests and connections in the last/, 10),
    ]);
    await mesh.run('delete', KIND, 'trial', 'refuser');
  });

  clusterTest('one that selects nothing says so, and one of a Service that is not there', [mesh], async () => {
    await mesh.apply(
      policy('nothing', { selector: { matchLabels: { app: 'nobody' } }, rules: [{}] }),
      policy('nowhere', { targetRefs: [{ kind: 'Service', name: 'nowhere' }], rules: [{}] }),
    );
    expect((await condition(mesh, KIND, 'nothing', 'Accepted', 'True')).reason).toBe('SelectsNothing');
    expect(await conditionMessage(mesh, KIND, 'nowhere', 'Accepted', 'True')).toContain(`${mesh.name}/nowhere`);
    await mesh.run('delete', KIND, 'nothing', 'nowhere');
  });

  clusterTest('one that cannot be right is refused, and what stands out is told', [mesh], async () => {
    const apply = (spec: object) =>
      mesh.kubectl.try(['apply', '-n', mesh.name, '-f', '-'], { input: JSON.stringify(policy('bad', spec)) });
    const bad = await apply({ rules: [{ to: [{ operation: { ports: ['http'] } }] }] });
    expect(bad.code).not.toBe(0);
    expect(bad.stderr).toContain(
      'spec.rules[0].to[0].operation.ports[0]: must be a port from 1 to 65535, and is "http"',
    );
    const wide = await apply({ selector: { matchLabels: { app: 'nobody' } } });
    expect(wide.code).toBe(0);
    expect(wide.stderr).toMatch(/Warning: .*spec.rules: is empty/);
    await mesh.run('delete', KIND, 'bad');
  });
});

/**
 * Puts a new pod in place of Inventory's: a connection from before a change is under the rules of then until its next answer, which asks for a new one
 * (ARCHITECTURE.md).
 */
async function renewInventory(): Promise<void> {
  await mesh.run('delete', 'pod', '-l', 'app=inventory');
  await mesh.rolledOut('inventory');
}

async function inventoryPod(): Promise<TestbedPod> {
  const [pod] = await testbedPods(mesh, 'app=inventory');
  if (pod === undefined) throw new Error('Inventory has no pod');
  return pod;
}
