import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { GraphView } from '../../api/view/graph-view.ts';
import { waitFor } from '../../hack/mesh/wait.ts';
import { GraphSource, strangerFacts } from '../../operator/dashboard/graph-source.ts';
import { OperatorFigures } from '../../operator/dashboard/operator-figures.ts';
import { destinationRule, sidecar } from '../../operator/mesh/testing/objects.ts';
import { decodeMetricsMessage } from '../../operator/telemetry/metrics-message.ts';
import { inboundWork, poolReadings } from '../../operator/wiring/open-work.ts';
import { keepRecords, type TrafficRecords } from '../../operator/wiring/traffic-records.ts';
import { wholeDelta } from '../../operator/xds/whole-delta.ts';
import { PeerWorld, type PortName } from './support/peer-world.ts';

/** How full pools of connections are, as two real sidecars tell it, against what the caller had for an answer. */

const OF_WEB = { workloadSelector: { labels: { app: 'web' } } };
let world: PeerWorld;
let records: TrafficRecords | undefined;
const sockets: Socket[] = [];

beforeAll(async () => {
  const heard = new Set<string>();
  world = await PeerWorld.start(
    {},
    {
      receive: (proxy, message) => {
        records?.ledger.receive(proxy, message);
        if (records !== undefined && decodeMetricsMessage(message).uptime !== undefined) heard.add(proxy.uid);
      },
    },
  );
  records = keepRecords(() => world.snapshot, undefined, world.inboundPort);
  // Of a sidecar that is older than the records, what its first report says is of before.
  await waitFor('first reports', async () => (heard.size === 2 ? true : undefined));
}, 60_000);

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await world?.stop();
});

/** Bounds the pool towards a port, and waits until it is. */
async function limit(name: PortName, maxConnections: number, http?: object): Promise<void> {
  const host = `${name}.shop.svc.cluster.local`;
  const connectionPool = { tcp: { maxConnections }, ...(http && { http }) };
  const rule = destinationRule(`shop/${name}`, { host, trafficPolicy: { connectionPool } });
  await world.put({ kind: 'DestinationRule', object: rule });
  // A cluster that changed takes the place of the one before once it has its endpoints.
  const line = `${host}::default_priority::max_connections::${maxConnections}`;
  await waitFor(line, async () => ((await world.client.admin('/clusters')).includes(line) ? true : undefined));
  records?.update(world.snapshot, wholeDelta(world.snapshot));
}

/** Status of a request that the application holds back; `world.heldBack` answers it. */
function holdOne(name: PortName): Promise<number> {
  const { service, address } = world.port(name);
  const headers = { host: `${name}.shop.svc.cluster.local:${service}` };
  return new Promise((resolve, reject) => {
    const asked = request({ host: address, port: service, path: '/held', headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    asked.on('error', reject).end();
  });
}

/** Opens a connection of TCP that stays open. @returns whether it was taken */
async function openTcp(): Promise<boolean> {
  const { service, address } = world.port('tcp');
  const socket = connect(service, address);
  sockets.push(socket);
  socket.write('GET /held HTTP/1.1\r\nhost: x\r\n\r\n');
  const before = world.heldBack.length;
  let closed = false;
  socket
    .on('error', () => {})
    .on('close', () => {
      closed = true;
    });
  await waitFor('an answer or an end', async () => (closed || world.heldBack.length > before ? true : undefined));
  return !closed;
}

async function graph(): Promise<GraphView> {
  const known = records;
  if (known === undefined) throw new Error('there are no records');
  const { history, ledger, nodes } = known;
  return new GraphSource({
    figures: new OperatorFigures({ history, missing: () => [], startedAt: ledger.startedAt, now: Date.now }),
    nodes: () => [...nodes.all()].map(({ id }) => strangerFacts(id)),
    roleOf: () => undefined,
    saturation: (id) => inboundWork(known, [...(nodes.node(id)?.pods.keys() ?? [])], Date.now()),
    pools: () => poolReadings(known, Date.now()),
  }).graph({ seconds: 300, namespace: undefined });
}

/** Waits until the graph says it. */
async function told(id: string, pool: object, saturation: object): Promise<void> {
  await waitFor(`the pools of ${id}`, async () => {
    const { edges, nodes } = await graph();
    expect(edges.find((edge) => edge.id === id)?.pool).toEqual(pool);
    expect(nodes.find((node) => node.id === 'shop/web')?.saturation).toMatchObject(saturation);
    return true;
  });
}

/** Waits until the graph says it of the server's own pool. */
async function toldOfItself(ownPool: object): Promise<void> {
  await waitFor('the inbound pool', async () => {
    expect((await graph()).nodes.find(({ id }) => id === 'shop/web')?.saturation?.ownPool).toEqual(ownPool);
    return true;
  });
}

test('a pool of two connections is full with two requests, one waits, and what it refused is what the caller was refused', async () => {
  await limit('http', 2, { http1MaxPendingRequests: 1 });
  const refused: number[] = [];
  const served: number[] = [];
  const ask = (): void =>
    void holdOne('http').then(
      (status) => (status === 503 ? refused : served).push(status),
      () => served.push(0),
    );
  // A request waits while its connection is made, and only one may.
  for (const under of [1, 2]) {
    ask();
    await waitFor(`${under} requests under way`, async () => (world.heldBack.length === under ? true : undefined));
  }
  for (let nth = 0; nth < 10; nth++) ask();
  await waitFor('refusals', async () => (refused.length === 9 ? true : undefined));
  const levels = { connections: { now: 2, limit: 2 }, active: { now: 2 }, pending: { now: 1, limit: 1 } };
  await told(
    'shop/client>shop/web',
    { ...levels, share: 1, overflow: refused.length },
    { connections: 2, active: 2, pending: 1, overflow: refused.length, poolShare: 1 },
  );
  // One that nobody calls has nobody waiting, and that is known.
  const client = (await graph()).nodes.find(({ id }) => id === 'shop/client');
  expect(client?.saturation).toEqual({ connections: 0, active: 0, pending: 0, overflow: 0 });

  await waitFor('answers', async () => {
    for (const answer of world.heldBack.splice(0)) answer();
    return served.length === 3 ? true : undefined;
  });
  expect([served, refused.length]).toEqual([[200, 200, 200], 9]);
  const idle = { connections: { now: 2, limit: 2 }, active: { now: 0 }, pending: { now: 0, limit: 1 } };
  await told(
    'shop/client>shop/web',
    { ...idle, share: 0, overflow: refused.length },
    { active: 0, pending: 0, overflow: refused.length, poolShare: 0 },
  );
}, 90_000);

test('connections of TCP beyond the limit are told as refused', async () => {
  await limit('tcp', 1);
  expect(await openTcp()).toBe(true);
  expect([await openTcp(), await openTcp(), await openTcp()]).toEqual([false, false, false]);
  const level = { connections: { now: 1, limit: 1 }, active: { now: 1 }, pending: { now: 0 } };
  await told('shop/client>shop/web#tcp', { ...level, share: 1, overflow: 3 }, { poolShare: 1 });
}, 90_000);

test('what a sidecar refuses before its own application is told of itself, and is what callers were refused', async () => {
  const inboundConnectionPool = { tcp: { maxConnections: 2 }, http: { http1MaxPendingRequests: 1 } };
  await world.put({ kind: 'Sidecar', object: sidecar('shop/web', { ...OF_WEB, inboundConnectionPool }) });
  const cluster = `inbound|${world.port('any').number}||::default_priority::max_connections::2`;
  await waitFor(cluster, async () => ((await world.server.admin('/clusters')).includes(cluster) ? true : undefined));
  records?.update(world.snapshot, wholeDelta(world.snapshot));
  const answers: number[] = [];
  const ask = (): void => void holdOne('any').then((status) => answers.push(status));
  const held = world.heldBack.length;
  for (const under of [1, 2]) {
    ask();
    await waitFor(`${under} under way`, async () => (world.heldBack.length === held + under ? true : undefined));
  }
  for (let nth = 0; nth < 10; nth++) ask();
  await waitFor('refusals', async () => (answers.length === 9 ? true : undefined));
  expect(answers).toEqual(new Array(9).fill(503));
  await toldOfItself({
    ...{ connections: { now: 2, limit: 2 }, active: { now: 2 }, pending: { now: 1, limit: 1 } },
    ...{ share: 1, overflow: answers.length },
  });
  await waitFor('answers', async () => {
    for (const answer of world.heldBack.splice(0)) answer();
    return answers.length === 12 ? true : undefined;
  });
  expect(answers.slice(9)).toEqual([200, 200, 200]);
  // Connections that are idle go after a while.
  await toldOfItself({
    ...{ connections: { now: 0, limit: 2 }, active: { now: 0 }, pending: { now: 0, limit: 1 } },
    ...{ share: 0, overflow: 9 },
  });
}, 90_000);

test('so it is of connections of TCP', async () => {
  // Those of the tests before fill the caller's pool.
  for (const socket of sockets.splice(0)) socket.destroy();
  await limit('tcp', 100);
  const inboundConnectionPool = { tcp: { maxConnections: 1 } };
  await world.put({ kind: 'Sidecar', object: sidecar('shop/web', { ...OF_WEB, inboundConnectionPool }) });
  const cluster = `inbound|${world.port('tcp').number}||::default_priority::max_connections::1`;
  await waitFor(cluster, async () => ((await world.server.admin('/clusters')).includes(cluster) ? true : undefined));
  records?.update(world.snapshot, wholeDelta(world.snapshot));
  expect(await openTcp()).toBe(true);
  expect([await openTcp(), await openTcp()]).toEqual([false, false]);
  // Nine are of the test before.
  await toldOfItself({
    ...{ connections: { now: 1, limit: 1 }, active: { now: 1 }, pending: { now: 0 } },
    ...{ share: 1, overflow: 9 + 2 },
  });
}, 90_000);
