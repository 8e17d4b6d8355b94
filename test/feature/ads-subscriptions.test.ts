import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  SECRET_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../../operator/xds/resource.ts';
import { namesOf } from './support/ads-client.ts';
import { type AdsHarness, startHarness, type TestPod } from './support/ads-harness.ts';
import { ResourceTable, textResource } from './support/resource-table.ts';

describe('a delta ADS stream', () => {
  let table: ResourceTable;
  let harness: AdsHarness;
  let pod: TestPod;

  beforeEach(async () => {
    table = new ResourceTable([CLUSTER_TYPE, ENDPOINT_TYPE, SECRET_TYPE, VIRTUAL_HOST_TYPE]);
    harness = await startHarness([table]);
    pod = harness.addPod('a');
  });

  afterEach(() => harness.stop());

  test('gives a legacy wildcard everything of the type', async () => {
    table.update([textResource(CLUSTER_TYPE, 'a', '1'), textResource(CLUSTER_TYPE, 'b', '1')]);
    const client = harness.connect(pod);
    client.send(CLUSTER_TYPE);
    expect(namesOf(await client.nextAcked(CLUSTER_TYPE))).toEqual(['a', 'b']);
  });

  test('answers a wildcard with nothing to give with an empty response, so that Envoy need not wait', async () => {
    const client = harness.connect(pod);
    client.send(CLUSTER_TYPE, { subscribe: ['*'] });
    expect(namesOf(await client.next())).toEqual([]);
  });

  test('sends a named subscription only what it names', async () => {
    table.update([textResource(SECRET_TYPE, 'a', '1'), textResource(SECRET_TYPE, 'b', '1')]);
    const client = harness.connect(pod);
    client.send(SECRET_TYPE, { subscribe: ['b'] });
    expect(namesOf(await client.nextAcked(SECRET_TYPE))).toEqual(['b']);
    table.update([textResource(SECRET_TYPE, 'a', '2')]);
    expect(await client.during(50)).toEqual([]);
    table.update([textResource(SECRET_TYPE, 'b', '2')]);
    expect(namesOf(await client.nextAcked(SECRET_TYPE))).toEqual(['b']);
  });

  test('says of a named resource that does not exist that it is removed, once, and sends it when it appears', async () => {
    const client = harness.connect(pod);
    client.send(ENDPOINT_TYPE, { subscribe: ['x'] });
    expect((await client.nextAcked(ENDPOINT_TYPE)).removedResources).toEqual(['x']);
    expect(await client.during(50)).toEqual([]);
    table.update([textResource(ENDPOINT_TYPE, 'x', '1')]);
    expect(namesOf(await client.nextAcked(ENDPOINT_TYPE))).toEqual(['x']);
  });

  test('ends when more is asked for than anybody needs, and counts no type that there is not', async () => {
    const types = harness.connect(pod);
    for (let type = 0; type <= 32; type++) types.send(`type.googleapis.com/a.Made${type}`, { subscribe: ['x'] });
    expect(await types.ended).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(/32 types/),
    });
    const names = harness.connect(harness.addPod('b'));
    const ask = (from: number): void =>
      names.send(CLUSTER_TYPE, { subscribe: Array.from({ length: 60_000 }, (_, index) => `n${from + index}`) });
    ask(0);
    ask(60_000);
    expect(await names.ended).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(/100000 resources/),
    });
    const metrics = await harness.registry.metrics();
    expect(metrics).toContain('heddle_ads_pushes_total{type="other"}');
    expect(metrics).not.toContain('Made');
  });

  test('answers an unknown virtual host with a resource without body, by name and alias', async () => {
    const client = harness.connect(pod);
    client.send(VIRTUAL_HOST_TYPE, { subscribe: ['80/nowhere'] });
    const response = await client.next();
    expect(response.removedResources).toEqual([]);
    expect(response.resources).toMatchObject([{ name: '80/nowhere', aliases: ['80/nowhere'] }]);
    expect(response.resources[0]?.resource).toBeUndefined();
  });

  test('keeps named subscriptions when the wildcard ends, and the wildcard when a name ends', async () => {
    table.update([textResource(CLUSTER_TYPE, 'a', '1'), textResource(CLUSTER_TYPE, 'b', '1')]);
    const client = harness.connect(pod);
    client.send(CLUSTER_TYPE, { subscribe: ['*', 'a'] });
    await client.nextAcked(CLUSTER_TYPE);
    client.send(CLUSTER_TYPE, { unsubscribe: ['*'] });
    await client.during(30);
    table.update([textResource(CLUSTER_TYPE, 'a', '2'), textResource(CLUSTER_TYPE, 'b', '2')]);
    expect(namesOf(await client.nextAcked(CLUSTER_TYPE))).toEqual(['a']);
    client.send(CLUSTER_TYPE, { subscribe: ['*'], unsubscribe: ['a'] });
    expect(namesOf(await client.nextAcked(CLUSTER_TYPE))).toEqual(['b']);
    table.update([textResource(CLUSTER_TYPE, 'a', '3')]);
    expect(namesOf(await client.nextAcked(CLUSTER_TYPE))).toEqual(['a']);
  });

  test('does not send what a reconnecting proxy holds already, and removes what is gone', async () => {
    const a = textResource(CLUSTER_TYPE, 'a', '1');
    table.update([a, textResource(CLUSTER_TYPE, 'b', '2')]);
    const client = harness.connect(pod);
    client.send(CLUSTER_TYPE, { subscribe: ['*'], initialVersions: { a: a.version, b: 'old', c: 'gone' } });
    // Until it asks for listeners it may be starting, and what it holds stays as it is.
    client.send(LISTENER_TYPE, { subscribe: ['*'] });
    expect(namesOf(await client.nextAcked(CLUSTER_TYPE))).toEqual(['b']);
    await client.nextAcked(LISTENER_TYPE);
    expect((await client.nextAcked(CLUSTER_TYPE)).removedResources).toEqual(['c']);
    expect(harness.server.acks.acked(pod.uid, CLUSTER_TYPE, 'a')).toBe(a.version);
  });

  test('stops sending what was unsubscribed and sends it again when it is asked for again', async () => {
    table.update([textResource(ENDPOINT_TYPE, 'x', '1')]);
    const client = harness.connect(pod);
    client.send(ENDPOINT_TYPE, { subscribe: ['x'] });
    await client.nextAcked(ENDPOINT_TYPE);
    client.send(ENDPOINT_TYPE, { unsubscribe: ['x'] });
    await client.during(30);
    table.update([textResource(ENDPOINT_TYPE, 'x', '2')]);
    expect(await client.during(50)).toEqual([]);
    client.send(ENDPOINT_TYPE, { subscribe: ['x'] });
    expect(namesOf(await client.nextAcked(ENDPOINT_TYPE))).toEqual(['x']);
    client.send(ENDPOINT_TYPE, { subscribe: ['x'] });
    expect(namesOf(await client.nextAcked(ENDPOINT_TYPE))).toEqual(['x']);
  });

  test('has one unacknowledged response per type at most, and then sends the newest state only', async () => {
    table.update([textResource(SECRET_TYPE, 'a', '1')]);
    const client = harness.connect(pod);
    client.send(SECRET_TYPE, { subscribe: ['a'] });
    const first = await client.next();
    for (let version = 2; version <= 20; version++) {
      table.update([textResource(SECRET_TYPE, 'a', String(version))]);
    }
    expect(await client.during(50)).toEqual([]);
    client.ack(first);
    const second = await client.next();
    expect(Buffer.from(second.resources[0]?.resource?.value ?? []).toString()).toBe('20');
    client.ack(second);
    expect(await client.during(50)).toEqual([]);
  });

  test('splits a big state into responses of about 512 KiB', async () => {
    const big = 'x'.repeat(80_000);
    table.update(Array.from({ length: 10 }, (_, index) => textResource(SECRET_TYPE, `s${index}`, big + index)));
    const client = harness.connect(pod);
    client.send(SECRET_TYPE, { subscribe: ['*'] });
    const sizes: number[] = [];
    for (let seen = 0; seen < 10; ) {
      const response = await client.nextAcked(SECRET_TYPE);
      sizes.push(response.resources.length);
      seen += response.resources.length;
    }
    expect(sizes).toEqual([6, 4]);
  });
});
