import { afterAll, describe, expect } from '@jest/globals';
import type { ControlPlaneView, ProxiesView } from '../../../api/view/control-plane-view.ts';
import type { GraphEdge, GraphView } from '../../../api/view/graph-view.ts';
import { waitFor, waitUntil } from '../../../hack/mesh/wait.ts';
import { Dashboard } from '../support/dashboard.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { SHOP_DEPLOYMENTS, sampleShop } from '../support/sample-shop.ts';

const shop = useNamespace('graph');
/** Calls of the load generator before it rests. */
const ENOUGH = 300;
/** Longer than all of this takes. */
const WINDOW_S = 540;

/** What the load generator counted itself. */
interface Counts {
  readonly sent: number;
  readonly inFlight: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly services: Readonly<
    Record<string, Readonly<Record<string, { readonly ok: number; readonly failed: number }>>>
  >;
}

let dashboard: Dashboard;

clusterSetup(
  [shop],
  async () => {
    await shop.apply(sampleShop());
    await Promise.all(SHOP_DEPLOYMENTS.map((name) => shop.rolledOut(name)));
    dashboard = await Dashboard.open(shop.kubectl);
  },
  240_000,
);
afterAll(() => dashboard?.close());

const ask = (...what: string[]): Promise<string> =>
  shop.run('exec', 'deploy/load', '--', 'node', '/app/main.ts', ...what);
const counts = async (): Promise<Counts> => JSON.parse(await ask('counts')) as Counts;

/** Requests by edge, in words such as `ui>ordering`; of an edge that nobody wants all there is, for whoever looks into it. */
function calls({ edges }: GraphView, wanted: Readonly<Record<string, number>>): Record<string, number | GraphEdge> {
  return Object.fromEntries(
    edges.map((edge) => {
      const name = `${edge.source}>${edge.destination}`.replaceAll(`${shop.name}/`, '');
      return [name, name in wanted ? edge.golden.requests : edge];
    }),
  );
}

/** Requests that came by a service of the shop, which each call the next one. */
function cameBy({ services }: Counts, service: string): number {
  return Object.values(services[service] ?? {}).reduce((sum, { ok, failed }) => sum + ok + failed, 0);
}

describe('the graph', () => {
  clusterTest('has exactly the calls of the shop, encrypted, and no others', [shop], async () => {
    await waitUntil('enough calls', async () => ((await counts()).sent >= ENOUGH ? undefined : 'too few'));
    await ask('rate', '0');
    const made = await waitFor('all calls are answered', async () => {
      const now = await counts();
      if (now.inFlight > 0) throw new Error(`${now.inFlight} are not`);
      return now;
    });
    const wanted = {
      'load>ui': made.sent,
      'ui>ordering': cameBy(made, 'ui'),
      'ordering>inventory': cameBy(made, 'ordering'),
    };
    const first = await waitFor('the calls in the graph', async () => {
      const graph = await dashboard.graph(shop.name, WINDOW_S);
      expect(calls(graph, wanted)).toEqual(wanted);
      return graph;
    });
    // All have reported since, and nobody anything else.
    const later = await waitFor('a later graph', async () => {
      const graph = await dashboard.graph(shop.name, WINDOW_S);
      if (graph.at < first.at + 10_000) throw new Error('not yet');
      return graph;
    });
    expect(calls(later, wanted)).toEqual(wanted);
    const golden = later.edges.map(({ source, mtls, reporter, protocol, golden: { p50Ms, p99Ms } }) => {
      return { source, mtls, reporter, protocol, timed: p50Ms !== undefined && p99Ms !== undefined && p50Ms <= p99Ms };
    });
    const alike = { mtls: 'all', reporter: 'source', protocol: 'http', timed: true };
    const sources = ['load', 'ordering', 'ui'].map((name) => ({ source: `${shop.name}/${name}`, ...alike }));
    expect(golden.sort((a, b) => a.source.localeCompare(b.source))).toEqual(sources);
    const failed = Object.entries(made.outcomes).filter(([outcome]) => !/^[1234]/.test(outcome));
    const failures = failed.reduce((sum, [, count]) => sum + count, 0);
    expect(later.edges.find(({ source }) => source.endsWith('/load'))?.golden.failures).toBe(failures);
    const nodes = later.nodes.map(({ name, kind, pods, connected, services }) => ({
      name,
      kind,
      pods,
      connected,
      services,
    }));
    expect(nodes.find(({ name }) => name === 'ordering')).toEqual({
      name: 'ordering',
      kind: 'workload',
      pods: 4,
      connected: 4,
      services: [`ordering.${shop.name}.svc.cluster.local`],
    });
    expect(nodes.map(({ name }) => name).sort()).toEqual([...SHOP_DEPLOYMENTS].sort());
  });

  clusterTest('has proxies beside it that are synced, and a control plane that is well', [shop], async () => {
    const { proxies, complete } = await waitFor('all proxies synced', async () => {
      const view = await dashboard.get<ProxiesView>(`/api/proxies?namespace=${shop.name}`);
      const others = view.proxies.filter(({ state }) => state !== 'synced');
      if (others.length > 0) throw new Error(others.map(({ pod, state }) => `${pod} ${state}`).join(', '));
      return view;
    });
    expect(complete).toBe(true);
    const counted: Record<string, number> = {};
    for (const { workload } of proxies) counted[workload] = (counted[workload] ?? 0) + 1;
    expect(counted).toMatchObject({ ui: 2, ordering: 4 });
    for (const { types, identity, certificateNotAfter, lastReport } of proxies) {
      expect(Object.keys(types)).toEqual(expect.arrayContaining(['listeners', 'clusters', 'secrets', 'virtualHosts']));
      expect(identity).toContain(`/ns/${shop.name}/sa/`);
      expect(Date.parse(certificateNotAfter ?? '')).toBeGreaterThan(Date.now());
      expect(lastReport).toBeGreaterThan(0);
    }
    const plane = await dashboard.get<ControlPlaneView>('/api/control-plane');
    expect(plane.replicas.filter(({ leader }) => leader)).toHaveLength(1);
    expect(plane.certificates.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['ROOT', 'INTERMEDIATE', 'XDS', 'WEBHOOK']),
    );
    expect(plane.proxies.total).toBeGreaterThanOrEqual(proxies.length);
  });
});
