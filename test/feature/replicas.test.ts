import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { silentLogger } from '../../kube/logger.ts';
import { JoinedReports } from '../../operator/replicas/joined-reports.ts';
import { RemoteProxies } from '../../operator/replicas/remote-proxies.ts';
import { REPORT_PATH } from '../../operator/replicas/replica-link.ts';
import { ReplicaLinks } from '../../operator/replicas/replica-links.ts';
import { CLUSTER_TYPE } from '../../operator/xds/resource.ts';
import type { AdsClient } from './support/ads-client.ts';
import { type AdsHarness, authenticatorOf, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';
import { ResourceTable, textResource } from './support/resource-table.ts';
import { makeServerCertificate } from './support/server-certificate.ts';

/** A replica of the operator: a server, what it hears of others, and what it tells them. */
interface TestReplica {
  readonly pod: TestPod;
  readonly table: ResourceTable;
  readonly harness: AdsHarness;
  readonly remote: RemoteProxies;
  readonly reports: JoinedReports;
  readonly links: ReplicaLinks;
  /** Metrics taken, as `UID TEXT`; those of other replicas' proxies with `~` in front. */
  readonly metrics: string[];
  stop(): Promise<void>;
}

/** The pods of the operator; a test may put one there that is none. */
let replicaPods: Map<string, TestPod>;

async function startReplica(name: string, rootPem?: string): Promise<TestReplica> {
  const metrics: string[] = [];
  const remote = new RemoteProxies({
    metrics: (uid, message) => metrics.push(`~${uid} ${Buffer.from(message)}`),
    logger: silentLogger,
  });
  const table = new ResourceTable([CLUSTER_TYPE]);
  const call = { path: REPORT_PATH, authenticator: authenticatorOf(replicaPods), conversation: remote.conversation() };
  const harness = await startHarness([table], {}, { otherCalls: [call] });
  const pod = harness.addPod(name, 'heddle-system');
  harness.pods.delete(pod.uid);
  replicaPods.set(pod.uid, pod);
  const links = new ReplicaLinks({
    identity: {
      nodeId: nodeIdOf(pod),
      token: async () => pod.token,
      serverName: 'localhost',
      roots: () => rootPem ?? harness.rootPem,
    },
    local: harness.server.acks,
    observe: (observer) => harness.server.observe(observer),
    logger: silentLogger,
  });
  return {
    pod,
    table,
    harness,
    remote,
    reports: new JoinedReports(harness.server.acks, remote),
    links,
    metrics,
    async stop() {
      links.stop();
      await harness.stop();
    },
  };
}

const targetOf = ({ pod, harness }: TestReplica) => ({
  uid: pod.uid,
  podName: pod.name,
  target: `127.0.0.1:${harness.port}`,
});

async function until(what: string, probe: () => boolean): Promise<void> {
  await waitUntil(what, async () => (probe() ? undefined : 'not yet'), { timeoutMs: 10_000, everyMs: 10 });
}

describe('replicas of the operator', () => {
  let first: TestReplica;
  let second: TestReplica;
  let proxy: TestPod;

  beforeEach(async () => {
    replicaPods = new Map();
    first = await startReplica('operator-1');
    second = await startReplica('operator-2');
    proxy = first.harness.addPod('web');
    second.harness.pods.set(proxy.uid, proxy);
  });

  afterEach(async () => {
    await Promise.all([first.stop(), second.stop()]);
  });

  /** A proxy that has acknowledged a version of cluster `a`. */
  async function connect(replica: TestReplica, text: string): Promise<{ client: AdsClient; version: string }> {
    const cluster = textResource(CLUSTER_TYPE, 'a', text);
    replica.table.update([cluster]);
    const client = replica.harness.connect(proxy);
    client.send(CLUSTER_TYPE);
    await client.nextAcked(CLUSTER_TYPE);
    return { client, version: cluster.version };
  }

  const known = (replica: TestReplica) => replica.reports.proxy(proxy.uid);
  const isKnownAt = (replica: TestReplica, version: string) => () =>
    known(replica)?.connected === true && known(replica)?.acknowledged(CLUSTER_TYPE, 'a') === version;

  test('tell each other what their proxies have in force, what was there before and what comes', async () => {
    const before = await connect(first, '1');
    first.links.set([targetOf(second)]);
    await until('what was there', isKnownAt(second, before.version));
    expect(known(second)?.identity).toEqual(known(first)?.identity);
    expect(second.remote.hears(first.pod.uid)).toBe(true);

    const told = new Set<string>();
    second.reports.onAck((uids) => {
      for (const uid of uids) told.add(uid);
    });
    const changed = textResource(CLUSTER_TYPE, 'a', '2');
    first.table.update([changed]);
    await before.client.nextAcked(CLUSTER_TYPE);
    await until('the change', isKnownAt(second, changed.version));
    await until('word of it', () => told.has(proxy.uid));

    first.table.update([textResource(CLUSTER_TYPE, 'a', 'bad')]);
    before.client.nack(await before.client.next(), 'cannot be');
    await until('the refusal', () => known(second)?.rejections()[0]?.message === 'cannot be');
    expect(known(second)?.acknowledged(CLUSTER_TYPE, 'a')).toBe(changed.version);
    expect([...second.reports.proxies()]).toHaveLength(1);
  });

  test('tell of thousands of resources in messages that fit', async () => {
    const many = Array.from({ length: 25_000 }, (_, index) => textResource(CLUSTER_TYPE, `cluster-${index}`, '1'));
    first.table.update(many);
    const client = first.harness.connect(proxy);
    client.send(CLUSTER_TYPE);
    for (let got = 0; got < many.length; ) got += (await client.nextAcked(CLUSTER_TYPE)).resources.length;
    first.links.set([targetOf(second)]);
    await until('all of them', () => second.remote.hears(first.pod.uid));
    expect([...(known(second)?.versions(CLUSTER_TYPE) ?? [])]).toHaveLength(many.length);
  });

  test('follow a proxy that goes from one to the other, and count its metrics once', async () => {
    const { client } = await connect(first, '1');
    first.links.set([targetOf(second)]);
    second.links.set([targetOf(first)]);
    await until('the stream at the first', () => known(second)?.connected === true);
    first.links.metrics(proxy.uid, Buffer.from('1'));
    await until('the metrics of the first', () => second.metrics.length === 1);
    client.close();
    await until('its end', () => known(second)?.connected === false);

    const moved = await connect(second, '2');
    await until('the stream at the second', isKnownAt(first, moved.version));
    expect([first, second].map((replica) => [...replica.reports.proxies()].length)).toEqual([1, 1]);
    second.links.metrics(proxy.uid, Buffer.from('2'));
    await until('the metrics of the second', () => first.metrics.length === 1);
    // What the first one still has of it comes late.
    first.links.metrics(proxy.uid, Buffer.from('late'));
    second.links.metrics(proxy.uid, Buffer.from('3'));
    await until('all that was told', () => first.metrics.length === 2);
    expect(first.metrics).toEqual([`~${proxy.uid} 2`, `~${proxy.uid} 3`]);
    expect(known(second)?.acknowledged(CLUSTER_TYPE, 'a')).toBe(moved.version);
  });

  test('let proxies go with their connections, and keep the others', async () => {
    const pods = ['a', 'b', 'c'].map((name) => first.harness.addPod(name));
    first.table.update([textResource(CLUSTER_TYPE, 'a', '1')]);
    const clients = pods.map((pod) => first.harness.connect(pod));
    for (const client of clients) {
      client.send(CLUSTER_TYPE);
      await client.nextAcked(CLUSTER_TYPE);
    }
    const channels = clients.map((client) => client.connectionEnds());
    let closed = 0;
    for (const end of channels) void end.then(() => closed++);
    first.harness.server.letGo(2);
    await until('two streams fewer', () => first.harness.server.connected === 1);
    await until('two connections fewer', () => closed === 2);
    const [kept] = clients.filter(({ hasEnded }) => !hasEnded);
    first.table.update([textResource(CLUSTER_TYPE, 'a', '2')]);
    expect((await kept?.nextAcked(CLUSTER_TYPE))?.resources).toHaveLength(1);
    const endings = await Promise.all(clients.filter((one) => one !== kept).map(({ ended }) => ended));
    expect(endings.map(({ details }) => details)).toEqual(
      Array(2).fill(expect.stringContaining('has room; reconnect')),
    );
  });

  test('know of a replica that is gone that it tells nothing any more, and hear all anew when it is back', async () => {
    const { version } = await connect(first, '1');
    first.links.set([targetOf(second)]);
    await until('the report', isKnownAt(second, version));
    first.links.set([]);
    await until('its end', () => !second.remote.hears(first.pod.uid));
    expect(known(second)).toMatchObject({ connected: false });
    first.links.metrics(proxy.uid, Buffer.from('that nobody is to hear'));
    expect(first.links.waiting).toBe(0);
    first.links.set([targetOf(second)]);
    await until('the new report', isKnownAt(second, version));
    expect(second.remote.hears(first.pod.uid)).toBe(true);
  });

  test('take reports of no pod that is no replica, nor a proxy’s, and report to nobody whose certificate is another’s', async () => {
    await connect(first, '1');
    replicaPods.set(first.pod.uid, { ...first.pod, problem: 'is no replica of the operator' });
    first.links.set([targetOf(second)]);
    const refused = () => second.harness.registry.getSingleMetricAsString('heddle_ads_refused_streams_total');
    await waitUntil('a refusal', async () =>
      (await refused()).includes('code="PERMISSION_DENIED"') ? undefined : 'not yet',
    );
    expect(second.remote.hears(first.pod.uid)).toBe(false);
    expect(known(second)).toBeUndefined();

    const client = second.harness.connect(proxy, { path: REPORT_PATH });
    expect((await client.ended).details).toContain('refused the bearer token');

    const stranger = await startReplica('operator-3', (await makeServerCertificate()).rootPem);
    stranger.links.set([targetOf(second)]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(second.remote.hears(stranger.pod.uid)).toBe(false);
    await stranger.stop();
  });
});
