import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../hack/mesh/wait.ts';
import { GraphSource, type NodeFacts } from '../../operator/dashboard/graph-source.ts';
import { OperatorFigures } from '../../operator/dashboard/operator-figures.ts';
import { buildSnapshot } from '../../operator/mesh/mesh-builder.ts';
import { SETTINGS } from '../../operator/mesh/testing/objects.ts';
import { keepRecords, type TrafficRecords } from '../../operator/wiring/traffic-records.ts';
import { PeerWorld, STRANGER } from './support/peer-world.ts';

/** Real sidecars, a real stream of their counts, and the graph that comes of them. */

const EMPTY = buildSnapshot(SETTINGS, []);
let started: PeerWorld | undefined;
/** What two replicas make of the same reports. */
const replicas = [1, 2].map(() => keepRecords(() => started?.snapshot ?? EMPTY));

beforeAll(async () => {
  const receive = (proxy: { readonly uid: string }, message: Uint8Array): void => {
    for (const { ledger } of replicas) ledger.receive(proxy, message);
  };
  started = await PeerWorld.start({}, { receive });
  const { snapshot } = started;
  const delta = { services: new Set<string>(), workloads: new Set(snapshot.workloads.keys()) };
  for (const { nodes } of replicas) nodes.update(snapshot, delta);
}, 60_000);

afterAll(() => started?.stop());

function graphOf({ ledger, history, nodes }: TrafficRecords): GraphSource {
  const facts = (): NodeFacts[] =>
    [...nodes.all()].map(({ id, namespace, name, pods }) => {
      return { id, namespace, name, kind: 'workload', services: [], pods: pods.size, connected: pods.size };
    });
  const { startedAt } = ledger;
  return new GraphSource({
    figures: new OperatorFigures({ history, missing: () => [], startedAt, now: Date.now }),
    nodes: facts,
    roleOf: () => undefined,
    saturation: () => undefined,
    pools: () => [],
  });
}

/** Edges in the words of a test. */
async function told(graph: GraphSource) {
  const { at, edges, nodes } = await graph.graph({ seconds: 300, namespace: undefined });
  const calls = edges.map(({ id, reporter, mtls, golden, answers }) => {
    const { requests, failures, p99Ms = 0 } = golden;
    const answered = answers.map(({ code, flags, requests: count }) => `${code} ${flags} ${count}`);
    return { id, reporter, mtls, requests, failures, measured: p99Ms > 0, answered };
  });
  calls.sort((a, b) => a.id.localeCompare(b.id));
  const tcp = calls.find(({ id }) => id.endsWith('#tcp'));
  const requests = calls.filter((one) => one !== tcp);
  return { at, requests, tcp, served: nodes.find(({ id }) => id === 'shop/web')?.served?.requests };
}

test('the graph has the calls that were made, exactly, and is the same at each replica', async () => {
  if (started === undefined) throw new Error('there is no mesh');
  const world = started;
  for (let made = 0; made < 30; made++) expect((await world.call('http', '/')).status).toBe(200);
  for (let made = 0; made < 3; made++) expect((await world.call('tcp', '/')).status).toBe(200);
  for (let made = 0; made < 5; made++) expect(await world.callPlainly('http')).toBe(200);
  for (let made = 0; made < 4; made++) expect(await world.callByMutualTls('http', STRANGER)).toBe(200);
  const good = { failures: 0, measured: true };
  const requests = [
    { id: 'shop/client>shop/web', reporter: 'source', mtls: 'all', requests: 30, ...good, answered: ['200 - 30'] },
    { id: 'unknown>shop/web', reporter: 'destination', mtls: 'some', requests: 9, ...good, answered: ['200 - 9'] },
  ];
  for (const replica of replicas) {
    const graph = graphOf(replica);
    const check = ({ tcp, served, ...now }: Awaited<ReturnType<typeof told>>): void => {
      expect(now.requests).toEqual(requests);
      const opaque = { id: 'shop/client>shop/web#tcp', reporter: 'source', mtls: 'all', requests: 3, failures: 0 };
      expect(tcp).toMatchObject(opaque);
      expect(served).toBe(42);
    };
    const first = await waitFor('the calls in the graph', async () => {
      const now = await told(graph);
      check(now);
      return now;
    });
    // The sidecars have reported again since.
    const later = await waitFor('a later graph', async () => {
      const now = await told(graph);
      return now.at > first.at ? now : undefined;
    });
    check(later);
  }
}, 90_000);
