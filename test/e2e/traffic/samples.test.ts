import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { expectShare } from '../support/share.ts';
import { Client } from '../support/testbed-client.ts';
import { server } from '../support/testbed-objects.ts';
import { type TestbedPod, testbedPods } from '../support/testbed-pods.ts';
import { sampleShop, TrafficSample } from '../support/traffic-sample.ts';

const market = useNamespace('market');
const outside = useNamespace('supplier', {});
const ui = new Client(market, 'deployment/ui');

/** The one user of the samples for whom things are different. */
const MIRA = { 'end-user': 'mira' };
const INVENTORY = 'http://inventory/';

/** Applies a sample for the time of a test. */
async function withSample(name: string, body: (sample: TrafficSample) => Promise<void>): Promise<void> {
  const sample = new TrafficSample(market, name);
  await sample.apply();
  await body(sample);
  await sample.delete();
}

const inventory = (version: string): Promise<TestbedPod[]> => testbedPods(market, `app=inventory,version=${version}`);

clusterSetup(
  [market, outside],
  async () => {
    // Nobody in the mesh sees this Service, so what goes to its address goes to a host that only the ServiceEntry knows.
    const hidden = { 'networking.istio.io/exportTo': '~' };
    const [account, service, deployment] = server('supplier', { env: { TLS_NAMES: 'example.com' } });
    await outside.apply(account ?? {}, annotated(service ?? {}, hidden), deployment ?? {});
    const { spec } = (await outside.get<{ spec: { clusterIP: string } }>('service', 'supplier')) ?? {};
    // In the place of DNS, for the application and for the sidecar.
    const hostAliases = [{ ip: spec?.clusterIP, hostnames: ['example.com'] }];
    await market.apply(...sampleShop({ hostAliases }));
    await outside.rolledOut('supplier');
    await Promise.all(['ui', 'ordering', 'inventory-v1', 'inventory-v2'].map((name) => market.rolledOut(name)));
  },
  240_000,
);

const annotated = (object: object, annotations: object): object => ({
  ...object,
  metadata: { ...('metadata' in object && typeof object.metadata === 'object' ? object.metadata : {}), annotations },
});

describe('which version a request meets', () => {
  clusterTest('request-routing: by the user, also where Ordering asks for them', [market], () =>
    withSample('request-routing', async (sample) => {
      expect((await sample.tryOut()).toSorted()).toEqual(['mira v2', 'tom v1']);
      const ordering = `http://ordering/call?url=${encodeURIComponent(INVENTORY)}`;
      const [mira, tom, nobody, throughOrdering] = await ui.plan([
        { url: INVENTORY, headers: MIRA, count: 20 },
        { url: INVENTORY, headers: { 'end-user': 'tom' }, count: 20 },
        { url: INVENTORY, count: 20 },
        { url: ordering, headers: MIRA },
      ]);
      expect(mira?.versions).toEqual({ v2: 20 });
      expect(tom?.versions).toEqual({ v1: 20 });
      expect(nobody?.versions).toEqual({ v1: 20 });
      expect(throughOrdering?.answers[0]?.echo?.upstream?.echo?.version).toBe('v2');
    }),
  );

  clusterTest('traffic-shifting: 5, 50 and 100 % of the requests', [market], async () => {
    // One after the other, as they are meant: each takes the place of the one before.
    for (const percent of [5, 50, 100]) {
      const sample = new TrafficSample(market, `traffic-shifting-${percent}`);
      await sample.apply();
      expect(await sample.tryOut()).toHaveLength(40);
      const { ok, versions } = await ui.many(INVENTORY, { count: 1000, concurrency: 8 });
      expect(ok).toBe(1000);
      expectShare(versions.v2, 1000, percent / 100);
    }
    await new TrafficSample(market, 'traffic-shifting-100').delete();
  });

  clusterTest('tcp-traffic-shifting: 20 % of the connections, and HTTP as before', [market], () =>
    withSample('tcp-traffic-shifting', async (sample) => {
      expect(await sample.tryOut()).toHaveLength(40);
      const { ok, versions } = await ui.many('http://inventory:90/', { count: 600, concurrency: 8, keepAlive: false });
      expect(ok).toBe(600);
      expectShare(versions.v2, 600, 0.2);
      expectShare((await ui.many(INVENTORY, { count: 200, concurrency: 4 })).versions.v2, 200, 0.5);
    }),
  );

  clusterTest('mirroring: version 1 serves, and version 2 sees each request', [market], () =>
    withSample('mirroring', async (sample) => {
      expect(new Set(await sample.tryOut())).toEqual(new Set(['v1']));
      const { versions } = await ui.many(`${INVENTORY}?key=copied`, { count: 100, concurrency: 4 });
      expect(versions).toEqual({ v1: 100 });
      const copies = await inventory('v2');
      await waitUntil('100 copies', async () => {
        const [seen] = await ui.seen(copies, 'copied');
        return seen?.count === 100 ? undefined : JSON.stringify(seen);
      });
      expect((await ui.seen(copies, 'copied')).map(({ hosts }) => Object.keys(hosts))).toEqual([['inventory']]);
    }),
  );
});

describe('what one request may cost', () => {
  clusterTest('fault-injection: slow and broken for one user alone', [market], () =>
    withSample('fault-injection', async (sample) => {
      // Seconds since the command began: on a busy machine that takes its time, too.
      const [inventory = '', ordering = ''] = (await sample.tryOut()).toSorted();
      expect([inventory, ordering]).toEqual([
        expect.stringMatching(/^inventory 200 \d+ s$/),
        expect.stringMatching(/^ordering 500 \d+ s$/),
      ]);
      const seconds = (line: string): number => Number(line.split(' ')[2]);
      expect(seconds(inventory)).toBeGreaterThanOrEqual(2);
      expect(seconds(ordering)).toBeLessThan(seconds(inventory));
      const plan = ['http://inventory/', 'http://ordering/?key=faults'].flatMap((url) => [
        { url, headers: MIRA, count: 10, concurrency: 10 },
        { url, headers: { 'end-user': 'tom' }, count: 10, concurrency: 10 },
      ]);
      const [slow, fast, broken, whole] = await ui.plan(plan);
      expect(slow?.statuses).toEqual({ 200: 10 });
      expect(slow?.latencyMs.p50).toBeGreaterThanOrEqual(2000);
      expect(fast?.statuses).toEqual({ 200: 10 });
      expect(fast?.latencyMs.max).toBeLessThan(2000);
      expect(broken?.statuses).toEqual({ 500: 10 });
      expect(whole?.statuses).toEqual({ 200: 10 });
      const seen = await ui.seen(await testbedPods(market, 'app=ordering'), 'faults');
      expect(seen.map(({ count }) => count)).toEqual([10]);
    }),
  );

  clusterTest('request-timeouts: half a second, however slow Inventory is', [market], () =>
    withSample('request-timeouts', async (sample) => {
      // The testbed's Ordering asks nobody of its own accord, so what the command shows is that it can be reached.
      expect(await sample.tryOut()).toEqual(['200']);
      const ordering = `http://ordering/call?url=${encodeURIComponent(INVENTORY)}`;
      const [slow, direct] = await ui.plan([{ url: ordering, count: 4, concurrency: 4 }, { url: INVENTORY }]);
      expect(slow?.statuses).toEqual({ 504: 4 });
      expect(slow?.latencyMs.p50).toBeGreaterThanOrEqual(500);
      expect(slow?.latencyMs.max).toBeLessThan(2000);
      expect(direct?.statuses).toEqual({ 200: 1 });
      expect(direct?.latencyMs.p50).toBeGreaterThanOrEqual(2000);
    }),
  );

  clusterTest('circuit-breaking: what is too much is refused at once, and a failing pod is left alone', [market], () =>
    withSample('circuit-breaking', async (sample) => {
      expect(new Set(await sample.tryOut())).toEqual(new Set(['200', '503']));
      const [calm, busy] = await ui.plan([
        { url: 'http://ordering/', count: 20 },
        { url: 'http://ordering/?delay=500&key=busy', count: 12, concurrency: 12 },
      ]);
      expect(calm?.statuses).toEqual({ 200: 20 });
      // While the one connection is being made, its request is itself the one in line: one of twelve at the least. Each of Envoy's threads
      // may have one more than the limit, so five at the most.
      const served = busy?.statuses[200] ?? 0;
      expect(served).toBeGreaterThanOrEqual(1);
      expect(served).toBeLessThanOrEqual(5);
      expect(busy?.statuses[503]).toBe(12 - served);
      const pods = await testbedPods(market, 'app=ordering');
      expect((await ui.seen(pods, 'busy')).map(({ count }) => count)).toEqual([served]);

      const [failing, spared] = await ui.plan([
        { url: 'http://ordering/?status=500', count: 3 },
        { url: 'http://ordering/?key=spared', count: 20 },
      ]);
      expect(failing?.statuses).toEqual({ 500: 3 });
      expect(spared?.statuses).toEqual({ 503: 20 });
      expect((await ui.seen(pods, 'spared')).map(({ count }) => count)).toEqual([0]);
      await waitUntil('Ordering is tried again', async () => {
        const { status, error } = await ui.http('http://ordering/');
        return status === 200 ? undefined : `${status ?? error}`;
      });
    }),
  );
});

describe('where a request goes', () => {
  clusterTest('locality-failover: the near pod, when it fails the far one, and back', [market], () =>
    withSample('locality-failover', async (sample) => {
      expect(new Set(await sample.tryOut())).toEqual(new Set(['v1']));
      expect((await ui.many(INVENTORY, { count: 100, concurrency: 4 })).versions).toEqual({ v1: 100 });
      const near = await inventory('v1');
      await ui.behave(near, { errors: true });
      const [, after] = await ui.plan([
        { url: INVENTORY, count: 3 },
        { url: INVENTORY, count: 50 },
      ]);
      await ui.behave(near, { errors: false });
      expect(after?.statuses).toEqual({ 200: 50 });
      expect(after?.versions).toEqual({ v2: 50 });
      await waitUntil('back with the near one', async () => {
        const { versions } = await ui.many(INVENTORY, { count: 10 });
        return versions.v1 === 10 ? undefined : JSON.stringify(versions);
      });
    }),
  );

  clusterTest('locality-distribute: 80 % stay, 20 % go far', [market], () =>
    withSample('locality-distribute', async (sample) => {
      expect(await sample.tryOut()).toHaveLength(40);
      const { ok, versions } = await ui.many(INVENTORY, { count: 1000, concurrency: 8 });
      expect(ok).toBe(1000);
      expectShare(versions.v2, 1000, 0.2);
    }),
  );

  clusterTest('egress: a host outside, over HTTP with a timeout, and over TLS', [market, outside], () =>
    withSample('egress', async () => {
      const [quick, slow] = await ui.plan([
        { url: 'http://example.com/', count: 5 },
        { url: 'http://example.com/?delay=5000' },
      ]);
      expect(quick?.statuses).toEqual({ 200: 5 });
      expect(quick?.answers[0]?.echo?.pod).toMatch(/^supplier-/);
      expect(quick?.answers[0]?.echo?.headers.host).toBe('example.com');
      expect(slow?.statuses).toEqual({ 504: 1 });
      expect(slow?.latencyMs.max).toBeLessThan(3000);
      const tls = await ui.tls('example.com:443', { count: 5 });
      expect(tls.statuses).toEqual({ 200: 5 });
      expect(tls.answers[0]?.echo?.tls?.sni).toBe('example.com');
      const endpoints = await new ProxyAdmin(market, 'deployment/ui').endpoints('outbound|');
      expect(endpoints.get('outbound|443||example.com')).toMatchObject([{ stats: { cx_total: 5 } }]);
      expect(endpoints.get('outbound|80||example.com')).toMatchObject([{ stats: { rq_total: 6 } }]);
    }),
  );
});
