import { describe, expect } from '@jest/globals';
import type { ProxiesView } from '../../../api/view/control-plane-view.ts';
import { waitFor, waitUntil } from '../../../hack/mesh/wait.ts';
import { heddle, type Ran, RunningHeddle, where } from '../support/heddle-command.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { destinationRule } from '../support/networking-object.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client } from '../support/testbed-client.ts';
import { client, EAGER, server } from '../support/testbed-objects.ts';

/** Of `heddle top edges -o json`. */
interface TopEdge {
  readonly name: string;
  readonly perSecond: number;
  readonly success: number;
  readonly mtls: string;
  readonly connections?: number;
  readonly active?: number;
  readonly connectionLimit?: number;
  readonly pending?: number;
  readonly pendingLimit?: number;
  readonly overflow?: number;
}

const mesh = useNamespace('look');
const caller = new Client(mesh, 'deployment/caller');
const inMesh = (...args: readonly string[]): Promise<Ran> => heddle(...args, '-n', mesh.name, ...where);

clusterSetup([mesh], async () => {
  await mesh.apply(...server('orders', { replicas: 2 }), ...client('caller', { annotations: EAGER }), {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'closed' },
    spec: {
      selector: { matchLabels: { app: 'orders' } },
      action: 'DENY',
      rules: [{ to: [{ operation: { paths: ['/closed'] } }] }],
    },
  });
  await Promise.all(['orders', 'caller'].map((name) => mesh.rolledOut(name)));
});

/** The part of a JSON answer that a check is about. */
const parsed = <T>({ stdout }: Ran): T => JSON.parse(stdout) as T;

/** The calls of the last so many seconds. */
const topEdges = async (seconds: number): Promise<TopEdge[]> =>
  parsed<{ edges: TopEdge[] }>(await inMesh('top', 'edges', '--window', `${seconds}`, '-o', 'json')).edges;

describe('heddle', () => {
  clusterTest('status says that every sidecar is synced, after a rollout that nobody refused', [mesh], async () => {
    const view = await waitFor('synced sidecars', async () => {
      const { proxies } = parsed<{ proxies: ProxiesView }>(await inMesh('status', '-o', 'json'));
      const late = proxies.proxies.filter(({ state }) => state !== 'synced');
      if (proxies.proxies.length !== 3 || late.length > 0) throw new Error(JSON.stringify(proxies));
      return proxies;
    });
    expect(view.proxies.flatMap(({ rejections }) => rejections)).toEqual([]);
    // Other tests change what these sidecars have, too: something may be on its way at any moment.
    await waitUntil('a status of synced sidecars', async () => {
      const { stdout } = await inMesh('status');
      const isSynced = /^The mesh is (not )?well: 1 replica, 3 of 3 sidecars synced /.test(stdout);
      return isSynced && /\ncaller-\S+ +caller +SYNCED/.test(stdout) ? undefined : stdout;
    });
    await waitUntil('a synced caller', async () => {
      const { code, stdout, stderr } = await inMesh('proxy', 'status', 'caller');
      return code === 0 && /^\S+\/caller-\S+ {2}SYNCED\n/.test(stdout) ? undefined : stdout + stderr;
    });
  });

  clusterTest('proxy config shows the ports that the Service has, and never a private key', [mesh], async () => {
    const clusters = await inMesh('proxy', 'config', 'caller', 'clusters', '--fqdn', `orders.${mesh.name}`);
    const ports = [...clusters.stdout.matchAll(/^orders\S+ +(\d+) +- +outbound +EDS +mTLS$/gm)].map(([, port]) => port);
    expect(ports.toSorted()).toEqual(['443', '80', '81', '90', '91']);
    const all = ['table', 'wide', 'json', 'yaml'].map((format) =>
      inMesh('proxy', 'config', 'orders', 'all', '-o', format),
    );
    for (const { code, stdout } of await Promise.all(all)) {
      expect(code).toBe(0);
      expect(stdout).toContain(`/ns/${mesh.name}/sa/orders`);
      expect(stdout).not.toMatch(/PRIVATE KEY|private_key"?: (?!"?\[redacted\])/);
    }
    const typo = await inMesh('proxy', 'config', 'odrers');
    expect(typo).toMatchObject({ code: 1, stdout: '' });
    expect(typo.stderr).toBe(
      `error: there is no pod or workload odrers in namespace ${mesh.name}\nnext: did you mean orders?\n`,
    );
  });

  clusterTest('proxy log-level sets the level of a logger, and back', [mesh], async () => {
    expect((await inMesh('proxy', 'log-level', 'caller', 'http:info')).stdout).toMatch(/^LOGGER +LEVEL\nhttp +info\n$/);
    expect(parsed(await inMesh('proxy', 'log-level', 'caller', '-o', 'json'))).toMatchObject({ http: 'info' });
    expect((await inMesh('proxy', 'log-level', 'caller', 'http:warning')).stdout).toMatch(/http +warning\n$/);
  });

  clusterTest('top shows the load that is made', [mesh], async () => {
    const rate = 20;
    const seen = () =>
      waitFor(
        'the load',
        async () => {
          const edges = await topEdges(10);
          const edge = edges.find(({ name }) => name === 'caller > orders');
          if (edge === undefined || edge.perSecond < rate / 2) throw new Error(JSON.stringify(edges));
          return edge;
        },
        { timeoutMs: 60_000, everyMs: 1000 },
      );
    const [, edge] = await caller.loadDuring('http://orders/', { rate }, seen);
    expect(edge).toMatchObject({ success: 1, mtls: 'all' });
    // Connections are kept between requests.
    expect(edge.connections).toBeGreaterThan(0);
    const { stdout } = await inMesh('top');
    expect(stdout).toMatch(
      /\nWORKLOAD +PODS +RATE +SUCCESS +P50 +P99 +OWN +CPU +MEMORY +CONNECTIONS +ACTIVE +PENDING +OVERFLOW\norders +2\/2 +[\d.]+\/s +100%/,
    );
    const { workloads } = parsed<{ workloads: Partial<TopEdge>[] }>(await inMesh('top', '-o', 'json'));
    const orders = workloads.find(({ name }) => name === 'orders');
    expect(orders?.connections).toBeGreaterThan(0);
    expect(orders?.active).toBeGreaterThanOrEqual(0);
  });

  clusterTest('top shows how full a pool is, and as many refusals as the caller had', [mesh], async () => {
    const connectionPool = { tcp: { maxConnections: 2 }, http: { http1MaxPendingRequests: 1 } };
    await mesh.apply(destinationRule('orders', { host: 'orders', trafficPolicy: { connectionPool } }));
    const limited = /^outbound\|\d+\|\|orders\..*::default_priority::max_connections::2$/m;
    await waitUntil('the limits', async () => {
      const clusters = await new ProxyAdmin(mesh, 'deployment/caller').get('/clusters');
      return limited.test(clusters) ? undefined : 'not yet';
    });
    const spec = { count: 24, concurrency: 12, answers: 24 };
    const { statuses } = await caller.many('http://orders/?delay=400', spec);
    expect(statuses['503']).toBeGreaterThan(0);
    const edge = await waitFor('what the pool refused', async () => {
      const edges = await topEdges(120);
      return edges.find(({ name, overflow = 0 }) => name === 'caller > orders' && overflow > 0);
    });
    expect(edge).toMatchObject({ connectionLimit: 2, pending: 0, pendingLimit: 1, overflow: statuses['503'] });
    await mesh.run('delete', 'destinationrule', 'orders');
  });

  clusterTest(
    'tap sees the requests that are made, and nothing that is secret; logs say who refused',
    [mesh],
    async () => {
      const tap = new RunningHeddle([
        'tap',
        'caller',
        '-n',
        mesh.name,
        ...where,
        '--max',
        '2',
        '--headers',
        '--path',
        '/c*',
      ]);
      await tap.said(/Watching 1 sidecar\./);
      const headers = { authorization: 'Bearer hidden', cookie: 'session=hidden', 'x-shop': 'shown' };
      await caller.http('http://orders/other');
      await caller.http('http://orders/cart?token=hidden&page=2', { headers });
      await caller.http('http://orders/closed');
      const { code, stdout, stderr } = await tap.ended;
      expect({ code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('2 requests seen, which is --max.'),
      });
      expect(stdout).toMatch(/ out +200 +\S+ +GET +orders\/cart\?token=\[redacted\]&page=2\n/);
      expect(stdout).toMatch(/ out +403 +\S+ +GET +orders\/closed\n/);
      expect(stdout).toMatch(/> x-shop: shown\n/);
      expect(stdout).not.toMatch(/hidden|orders\/other/);
      const logs = await inMesh('logs', 'orders', '--refusals');
      expect(logs.stdout).toMatch(
        new RegExp(
          `GET orders/closed from ${mesh.name}/caller \\(\\S+\\) answered 403: refused by AuthorizationPolicy ${mesh.name}/closed, rule 1\n`,
        ),
      );
    },
  );

  clusterTest('dashboard serves the page, and ends with Ctrl-C', [mesh], async () => {
    const dashboard = new RunningHeddle(['dashboard', '--port', '0', '--no-open', ...where]);
    const [url] = await dashboard.said(/http:\/\/localhost:\d+\//);
    const page = await fetch(url);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    await page.arrayBuffer();
    expect(await (await fetch(`${url}api/control-plane`)).json()).toMatchObject({ replicas: [{ leader: true }] });
    expect(await dashboard.interrupt()).toMatchObject({ code: 0 });
  });
});
