import { Agent } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TrafficLedger } from '../../operator/telemetry/ledger.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, SECRET_TYPE } from '../../operator/xds/resource.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';
import { type EnvoyProcess, startEnvoy } from './support/envoy-process.ts';
import { freePort } from './support/free-port.ts';
import { type Backend, get, startBackend, startLoad } from './support/load.ts';
import { cluster, endpoints, listener, routes, secret } from './support/mesh-resources.ts';
import { ResourceTable } from './support/resource-table.ts';
import { makeServerCertificate, type TestCertificate } from './support/server-certificate.ts';

const STABLE = 'outbound|80||shop.test.svc.cluster.local';
const CANARY = `${STABLE}|next`;

describe('the real Envoy on a delta ADS stream', () => {
  const table = new ResourceTable([CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, SECRET_TYPE]);
  let certificate: TestCertificate;
  const ledger = new TrafficLedger({
    workload: () => ({ namespace: 'shop', revision: 'abc' }),
    stableRevision: () => 'old',
    isPolicyOf: () => false,
  });
  let harness: AdsHarness;
  let pod: TestPod;
  let envoy: EnvoyProcess;
  let backends: Backend[];
  let port: number;

  beforeAll(async () => {
    certificate = await makeServerCertificate();
    harness = await startHarness([table], {}, { metricsSink: ledger });
    pod = harness.addPod('envoy');
    backends = [await startBackend('stable'), await startBackend('next')];
    port = await freePort();
    table.update([
      cluster(STABLE),
      endpoints(STABLE, [portOf('stable')]),
      listener('l', port, '80'),
      routes('80', { [STABLE]: 100 }),
      secret('default', certificate),
    ]);
    envoy = await startEnvoy({
      nodeId: nodeIdOf(pod),
      token: pod.token,
      adsPort: harness.port,
      rootPem: harness.rootPem,
      flushSeconds: 1,
    });
  }, 120_000);

  afterAll(async () => {
    await envoy?.stop();
    await harness?.stop();
    for (const backend of backends ?? []) {
      backend.close();
    }
  });

  const portOf = (name: 'stable' | 'next'): number => backends[name === 'stable' ? 0 : 1]?.port ?? 0;

  /** Waits until the proxy has put a version in force, and tells how long that took, in ms. */
  async function inForce(typeUrl: string, name: string, version: string | undefined, within = 10_000): Promise<number> {
    const start = performance.now();
    while (harness.server.acks.acked(pod.uid, typeUrl, name) !== version) {
      if (performance.now() - start > within) {
        throw new Error(`${name} is not in force after ${within} ms: ${envoy.log()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return performance.now() - start;
  }

  test('is given clusters, endpoints, listeners, routes and secrets, and serves', async () => {
    await inForce(LISTENER_TYPE, 'l', table.lookup(proxyless(pod), LISTENER_TYPE, 'l')?.version);
    await inForce(ROUTE_TYPE, '80', table.lookup(proxyless(pod), ROUTE_TYPE, '80')?.version);
    await inForce(SECRET_TYPE, 'default', table.lookup(proxyless(pod), SECRET_TYPE, 'default')?.version);
    const agent = new Agent({ ca: certificate.rootPem, servername: 'localhost' });
    expect(await get(port, agent)).toEqual({ status: 200, body: 'stable' });
    agent.destroy();
  }, 30_000);

  test('loses no request while a cluster appears, takes all weight, and the old one goes', async () => {
    const load = startLoad(port, certificate.rootPem, 8);
    for (let round = 0; round < 5; round++) {
      const split = routes('80', { [STABLE]: 50, [CANARY]: 50 });
      table.update([split, endpoints(CANARY, [portOf('next')]), cluster(CANARY)]);
      await inForce(ROUTE_TYPE, '80', split.version);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const back = routes('80', { [STABLE]: 100 });
      table.update(
        [back],
        [
          [CLUSTER_TYPE, CANARY],
          [ENDPOINT_TYPE, CANARY],
        ],
      );
      await inForce(ROUTE_TYPE, '80', back.version);
      await inForce(CLUSTER_TYPE, CANARY, undefined);
    }
    const { served, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(served.get('stable')).toBeGreaterThan(100);
    expect(served.get('next')).toBeGreaterThan(100);
  }, 60_000);

  test('counts every request once, by revision, in the ledger', async () => {
    const ask = (revision: string) =>
      ledger.window({
        namespace: 'shop',
        services: ['shop.test.svc.cluster.local'],
        revision,
        since: 0,
        until: Date.now() + 1000,
      }).callers;
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const before = { old: ask('old').requests, next: ask('next').requests };
    expect(before.next).toBeGreaterThan(100);
    const agent = new Agent({ ca: certificate.rootPem, servername: 'localhost' });
    for (let request = 0; request < 37; request++) {
      await get(port, agent);
    }
    agent.destroy();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(ask('old')).toMatchObject({ requests: before.old + 37, failures: 0, reporters: 1 });
    expect(ask('old').p99Ms).toBeGreaterThan(0);
    expect(ask('next').requests).toBe(before.next);
  }, 30_000);

  test('takes an updated cluster at once, for its endpoints come again, and loses no request', async () => {
    const load = startLoad(port, certificate.rootPem, 4);
    for (let round = 1; round <= 5; round++) {
      const updated = cluster(STABLE, 100 + round);
      table.update([updated]);
      expect(await inForce(CLUSTER_TYPE, STABLE, updated.version)).toBeLessThan(5_000);
      await warm(envoy);
    }
    expect((await load.stop()).failures).toEqual([]);
  }, 60_000);

  test('keeps serving and reports why when it rejects a route, then takes the next one', async () => {
    const bad = routes('80', {});
    table.update([bad]);
    while (harness.server.acks.proxy(pod.uid)?.rejections().length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const [rejection] = harness.server.acks.proxy(pod.uid)?.rejections() ?? [];
    expect(rejection).toMatchObject({ typeUrl: ROUTE_TYPE, name: '80', version: bad.version });
    expect(rejection?.message).toContain('eighted');
    const agent = new Agent({ ca: certificate.rootPem, servername: 'localhost' });
    expect((await get(port, agent)).status).toBe(200);
    const good = routes('80', { [STABLE]: 1 });
    table.update([good]);
    await inForce(ROUTE_TYPE, '80', good.version);
    expect(harness.server.acks.proxy(pod.uid)?.rejections()).toEqual([]);
    agent.destroy();
  }, 30_000);

  test('goes on serving while the control plane restarts, and is sent nothing that it holds', async () => {
    const load = startLoad(port, certificate.rootPem, 4);
    await harness.stop();
    harness = await startHarness([table], {}, { metricsSink: ledger, atPort: harness.port });
    harness.pods.set(pod.uid, pod);
    await inForce(ROUTE_TYPE, '80', table.lookup(proxyless(pod), ROUTE_TYPE, '80')?.version, 40_000);
    await inForce(LISTENER_TYPE, 'l', table.lookup(proxyless(pod), LISTENER_TYPE, 'l')?.version);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const sent = await harness.registry.getSingleMetric('heddle_ads_pushed_resources_total')?.get();
    expect(sent?.values.reduce((sum, { value }) => sum + value, 0)).toBe(0);
    const next = routes('80', { [STABLE]: 7 });
    table.update([next]);
    await inForce(ROUTE_TYPE, '80', next.version);
    expect((await load.stop()).failures).toEqual([]);
  }, 60_000);
});

/** No cluster is warming: `config_dump` names warming ones apart. */
async function warm(envoy: EnvoyProcess): Promise<void> {
  const start = performance.now();
  for (;;) {
    const dump = await envoy.admin('/config_dump?resource=dynamic_warming_clusters');
    if (!dump.includes('outbound')) {
      return;
    }
    if (performance.now() - start > 15_000) {
      throw new Error('the cluster is still warming after 15 s');
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function proxyless({ uid, name, namespace, serviceAccount }: TestPod) {
  return { uid, podName: name, namespace, serviceAccount };
}
