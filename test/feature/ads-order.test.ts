import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, SECRET_TYPE } from '../../operator/xds/resource.ts';
import { type AdsClient, namesOf } from './support/ads-client.ts';
import { type AdsHarness, startHarness, type TestPod } from './support/ads-harness.ts';
import { ResourceTable, textResource } from './support/resource-table.ts';

const PATIENCE_MS = 400;
const REMOVAL_MS = 100;

describe('make before break on a stream', () => {
  let table: ResourceTable;
  let harness: AdsHarness;
  let pod: TestPod;
  let client: AdsClient;

  /** A proxy that has cluster `a` with its endpoints, a listener and a route, all acknowledged. */
  beforeEach(async () => {
    table = new ResourceTable([CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, SECRET_TYPE]);
    harness = await startHarness([table], { routePatienceMs: PATIENCE_MS, removalDelayMs: REMOVAL_MS });
    pod = harness.addPod('a');
    table.update([
      textResource(CLUSTER_TYPE, 'a', '1'),
      textResource(ENDPOINT_TYPE, 'a', '1'),
      textResource(LISTENER_TYPE, 'l', '1'),
      textResource(ROUTE_TYPE, '80', '1'),
      textResource(SECRET_TYPE, 'default', '1'),
    ]);
    client = harness.connect(pod);
    client.send(CLUSTER_TYPE);
    await client.nextAcked(CLUSTER_TYPE);
    client.send(ENDPOINT_TYPE, { subscribe: ['a'] });
    await client.nextAcked(ENDPOINT_TYPE);
    client.send(LISTENER_TYPE);
    await client.nextAcked(LISTENER_TYPE);
    client.send(ROUTE_TYPE, { subscribe: ['80'] });
    await client.nextAcked(ROUTE_TYPE);
  });

  afterEach(() => harness.stop());

  const addCanary = (): void =>
    table.update([
      textResource(ROUTE_TYPE, '80', 'to a and b'),
      textResource(ENDPOINT_TYPE, 'b', '1'),
      textResource(CLUSTER_TYPE, 'b', '1'),
    ]);

  test('routes wait for a new cluster and its endpoints to be acknowledged', async () => {
    addCanary();
    const cluster = await client.next();
    expect([cluster.typeUrl, namesOf(cluster)]).toEqual([CLUSTER_TYPE, ['b']]);
    expect(await client.during(50)).toEqual([]);
    // Envoy asks for the endpoints while the cluster is warming, and acknowledges the cluster when it is warm.
    client.send(ENDPOINT_TYPE, { subscribe: ['b'] });
    const endpoints = await client.next();
    expect([endpoints.typeUrl, namesOf(endpoints)]).toEqual([ENDPOINT_TYPE, ['b']]);
    expect(await client.during(50)).toEqual([]);
    client.ack(endpoints);
    expect(await client.during(50)).toEqual([]);
    client.ack(cluster);
    expect((await client.next()).typeUrl).toBe(ROUTE_TYPE);
  });

  test('routes wait also when the cluster is acknowledged before its endpoints are asked for', async () => {
    addCanary();
    await client.nextAcked(CLUSTER_TYPE);
    expect(await client.during(50)).toEqual([]);
    client.send(ENDPOINT_TYPE, { subscribe: ['b'] });
    await client.nextAcked(ENDPOINT_TYPE);
    expect((await client.next()).typeUrl).toBe(ROUTE_TYPE);
  });

  test('routes do not wait for ever for endpoints that are never asked for', async () => {
    addCanary();
    await client.nextAcked(CLUSTER_TYPE);
    const start = performance.now();
    expect((await client.next()).typeUrl).toBe(ROUTE_TYPE);
    expect(performance.now() - start).toBeGreaterThan(PATIENCE_MS - 100);
  });

  test('routes do not wait for a cluster that the proxy rejects', async () => {
    addCanary();
    client.nack(await client.next(), 'Error adding/updating cluster(s) b: no');
    expect((await client.next()).typeUrl).toBe(ROUTE_TYPE);
  });

  test('a cluster without endpoints of its own is waited for alone', async () => {
    table.update([textResource(ROUTE_TYPE, '80', 'to c'), textResource(CLUSTER_TYPE, 'c', 'dns')]);
    await client.nextAcked(CLUSTER_TYPE);
    expect((await client.next()).typeUrl).toBe(ROUTE_TYPE);
  });

  test('changed endpoints go before the routes that came with them', async () => {
    table.update([textResource(ROUTE_TYPE, '80', '2'), textResource(ENDPOINT_TYPE, 'a', '2')]);
    expect((await client.next()).typeUrl).toBe(ENDPOINT_TYPE);
    expect((await client.next()).typeUrl).toBe(ROUTE_TYPE);
  });

  test('an updated cluster’s endpoints come again though they are the same', async () => {
    table.update([textResource(CLUSTER_TYPE, 'a', '2')]);
    expect((await client.next()).typeUrl).toBe(CLUSTER_TYPE);
    const endpoints = await client.next();
    expect([endpoints.typeUrl, namesOf(endpoints)]).toEqual([ENDPOINT_TYPE, ['a']]);
  });

  test('a reconnecting proxy gets the endpoints of a cluster that changed meanwhile, though it holds them', async () => {
    const held = { a: textResource(ENDPOINT_TYPE, 'a', '1').version };
    table.update([textResource(CLUSTER_TYPE, 'a', '2')]);
    const again = harness.connect(pod);
    again.send(CLUSTER_TYPE, { initialVersions: { a: textResource(CLUSTER_TYPE, 'a', '1').version } });
    again.send(ENDPOINT_TYPE, { subscribe: ['a'], initialVersions: held });
    // Until it asks for listeners it may be starting, and what it holds stays as it is.
    again.send(LISTENER_TYPE, { subscribe: ['*'] });
    expect(namesOf(await again.nextAcked(CLUSTER_TYPE))).toEqual(['a']);
    expect(namesOf(await again.nextAcked(ENDPOINT_TYPE))).toEqual(['a']);
  });

  test('a cluster is removed last, a while after the routes without it are acknowledged', async () => {
    table.update([textResource(ROUTE_TYPE, '80', 'to nothing')], [[CLUSTER_TYPE, 'a']]);
    const route = await client.next();
    expect(route.typeUrl).toBe(ROUTE_TYPE);
    expect(await client.during(50)).toEqual([]);
    client.ack(route);
    expect(await client.during(REMOVAL_MS / 2)).toEqual([]);
    const removal = await client.next();
    expect([removal.typeUrl, removal.removedResources]).toEqual([CLUSTER_TYPE, ['a']]);
  });

  test('a cluster is removed though routes change all the time', async () => {
    table.update([textResource(ROUTE_TYPE, '80', 'to nothing')], [[CLUSTER_TYPE, 'a']]);
    let message = await client.next();
    // Before each answer there is something new, so that never all routes are acknowledged.
    for (let version = 0; message.typeUrl === ROUTE_TYPE && version < 50; version++) {
      table.update([textResource(ROUTE_TYPE, '80', `${version}`)]);
      await new Promise((resolve) => setTimeout(resolve, REMOVAL_MS / 5));
      client.ack(message);
      message = await client.next();
    }
    expect([message.typeUrl, message.removedResources]).toEqual([CLUSTER_TYPE, ['a']]);
  });

  test('a cluster stays while the proxy rejects the routes without it', async () => {
    table.update([textResource(ROUTE_TYPE, '80', 'bad')], [[CLUSTER_TYPE, 'a']]);
    client.nack(await client.next(), 'no');
    expect(await client.during(REMOVAL_MS * 2)).toEqual([]);
    table.update([textResource(ROUTE_TYPE, '80', 'good')]);
    await client.nextAcked(ROUTE_TYPE);
    expect((await client.next()).removedResources).toEqual(['a']);
  });

  test('a cluster that is removed and comes back before that was sent is not touched', async () => {
    table.update([textResource(ROUTE_TYPE, '80', '2')], [[CLUSTER_TYPE, 'a']]);
    const route = await client.next();
    table.update([textResource(CLUSTER_TYPE, 'a', '1')]);
    client.ack(route);
    expect(await client.during(REMOVAL_MS * 3)).toEqual([]);
  });

  test('secrets wait for nothing', async () => {
    addCanary();
    await client.next();
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    expect((await client.next()).typeUrl).toBe(SECRET_TYPE);
  });

  test('a rejected version is kept in mind and not sent again; the next one is', async () => {
    await client.during(30);
    const first = harness.server.acks.acked(pod.uid, ROUTE_TYPE, '80');
    expect(first).toBeDefined();
    const bad = textResource(ROUTE_TYPE, '80', 'bad');
    table.update([bad]);
    client.nack(await client.next(), 'no such cluster');
    expect(await client.during(50)).toEqual([]);
    table.update([bad]);
    expect(await client.during(50)).toEqual([]);
    const report = harness.server.acks.proxy(pod.uid);
    expect(report?.acknowledged(ROUTE_TYPE, '80')).toBe(first);
    expect(report?.rejections()).toEqual([
      { typeUrl: ROUTE_TYPE, name: '80', version: bad.version, message: 'no such cluster' },
    ]);
    const good = textResource(ROUTE_TYPE, '80', 'good');
    table.update([good]);
    await client.nextAcked(ROUTE_TYPE);
    await client.during(50);
    expect(report?.acknowledged(ROUTE_TYPE, '80')).toBe(good.version);
    expect(report?.rejections()).toEqual([]);
  });

  test('one bad resource of many is found, and the others are put in force', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
    table.update(names.map((name) => textResource(SECRET_TYPE, name, 'x')));
    client.send(SECRET_TYPE, { subscribe: names });
    for (let silent = 0; silent < 2; ) {
      const responses = await client.during(30);
      silent = responses.length === 0 ? silent + 1 : 0;
      for (const response of responses) {
        if (namesOf(response).includes('s13')) {
          client.nack(response, 'bad certificate');
        } else {
          client.ack(response);
        }
      }
    }
    const { acks } = harness.server;
    const missing = names.filter((name) => acks.acked(pod.uid, SECRET_TYPE, name) === undefined);
    expect(missing).toEqual(['s13']);
    expect(acks.proxy(pod.uid)?.rejections()).toMatchObject([{ name: 's13' }]);
  });

  test('listeners of acknowledgements are told once for many', async () => {
    const told: ReadonlySet<string>[] = [];
    harness.server.acks.onAck((uids) => told.push(uids));
    table.update([textResource(ENDPOINT_TYPE, 'a', '2'), textResource(ROUTE_TYPE, '80', '2')]);
    await client.nextAcked(ENDPOINT_TYPE);
    await client.nextAcked(ROUTE_TYPE);
    await client.during(100);
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(3);
    expect(told[0]).toEqual(new Set([pod.uid]));
  });
});
