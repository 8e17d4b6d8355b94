import { describe, expect, test } from '@jest/globals';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from '../xds/resource.ts';
import { STREAM_SETTINGS } from './stream-settings.ts';
import { openStream } from './testing/open-stream.ts';

describe('clusters', () => {
  test('that do not exist are said to be absent at once, while one that goes waits for the routes', () => {
    const stream = openStream();
    stream.put(CLUSTER_TYPE, 'a', '1');
    stream.put(ROUTE_TYPE, '80', '1');
    stream.ask(CLUSTER_TYPE, '*');
    stream.acknowledge(CLUSTER_TYPE);
    stream.ask(ROUTE_TYPE, '80');
    stream.remove(CLUSTER_TYPE, 'a');
    expect(stream.sent).toEqual(['Cluster a@1', 'RouteConfiguration 80@1']);
    stream.ask(CLUSTER_TYPE, 'made-up');
    expect(stream.sent.slice(2)).toEqual(['Cluster -made-up']);
    stream.close();
  });
});

describe('while a proxy starts, a cluster that comes again in the other phase', () => {
  function begin() {
    const stream = openStream({ ...STREAM_SETTINGS, removalDelayMs: 0 });
    stream.put(CLUSTER_TYPE, 'a', 'eds', 'secondary');
    stream.ask(CLUSTER_TYPE, '*');
    stream.acknowledge(CLUSTER_TYPE);
    stream.put(CLUSTER_TYPE, 'a', 'original', 'primary');
    return stream;
  }

  test('waits until the proxy asks for listeners, and others do not', () => {
    const { sent, put, ask, acknowledge, close } = begin();
    put(CLUSTER_TYPE, 'b', '1', 'secondary');
    acknowledge(CLUSTER_TYPE);
    put(CLUSTER_TYPE, 'b', '2', 'secondary');
    acknowledge(CLUSTER_TYPE);
    expect(sent).toEqual(['Cluster a@eds', 'Cluster b@1', 'Cluster b@2']);
    ask(LISTENER_TYPE, '*');
    expect(sent.slice(3)).toContain('Cluster a@original');
    acknowledge(CLUSTER_TYPE);
    put(CLUSTER_TYPE, 'a', 'eds', 'secondary');
    expect(sent.at(-1)).toBe('Cluster a@eds');
    close();
  });

  test('does not wait when it went in between', () => {
    const { sent, put, remove, acknowledge, close } = begin();
    remove(CLUSTER_TYPE, 'a');
    acknowledge(CLUSTER_TYPE);
    put(CLUSTER_TYPE, 'a', 'original', 'primary');
    expect(sent).toEqual(['Cluster a@eds', 'Cluster -a', 'Cluster a@original']);
    close();
  });
});

describe('while a proxy starts, a cluster of the first phase', () => {
  test('that it held before its stream broke stays as it is until it asks for listeners', () => {
    const stream = openStream({ ...STREAM_SETTINGS, removalDelayMs: 0 });
    for (const name of ['changed', 'gone', 'same']) stream.put(CLUSTER_TYPE, name, '1', 'primary');
    stream.put(CLUSTER_TYPE, 'changed', '2', 'primary');
    stream.remove(CLUSTER_TYPE, 'gone');
    stream.resume(CLUSTER_TYPE, { changed: '1', gone: '1', same: '1' });
    stream.put(CLUSTER_TYPE, 'same', '2', 'primary');
    stream.put(CLUSTER_TYPE, 'new', '1', 'primary');
    stream.acknowledge(CLUSTER_TYPE);
    expect(stream.sent).toEqual(['Cluster new@1']);
    stream.resume(LISTENER_TYPE, {}, '*');
    for (const typeUrl of [CLUSTER_TYPE, LISTENER_TYPE]) stream.acknowledge(typeUrl);
    expect(stream.sent).toEqual(expect.arrayContaining(['Cluster changed@2,same@2', 'Cluster -gone']));
    stream.close();
  });

  test.each<[string, (stream: ReturnType<typeof openStream>) => void, string]>([
    ['stays as it is, and changes then', ({ put }) => put(CLUSTER_TYPE, 'a', '2', 'primary'), 'Cluster a@2'],
    ['stays, and goes then', ({ remove }) => remove(CLUSTER_TYPE, 'a'), 'Cluster -a'],
  ])('%s', (_, change, then) => {
    const stream = openStream({ ...STREAM_SETTINGS, removalDelayMs: 0 });
    stream.put(CLUSTER_TYPE, 'a', '1', 'primary');
    stream.ask(CLUSTER_TYPE, '*');
    stream.acknowledge(CLUSTER_TYPE);
    change(stream);
    expect(stream.sent).toEqual(['Cluster a@1']);
    stream.ask(LISTENER_TYPE, '*');
    stream.acknowledge(LISTENER_TYPE);
    expect(stream.sent).toContain(then);
    stream.close();
  });
});

describe('a cluster that goes', () => {
  /** A proxy with cluster `a` and routes, told of a cluster `b` and waiting for its endpoints: routes wait as well. */
  function begin() {
    const stream = openStream({ ...STREAM_SETTINGS, removalDelayMs: 0 });
    for (const name of ['a', 'b']) stream.put(ENDPOINT_TYPE, name, '1');
    stream.put(CLUSTER_TYPE, 'a', '1');
    stream.put(ROUTE_TYPE, '80', '1');
    stream.ask(CLUSTER_TYPE, '*');
    stream.ask(ENDPOINT_TYPE, 'a');
    stream.acknowledge(CLUSTER_TYPE);
    stream.acknowledge(ENDPOINT_TYPE);
    stream.ask(ROUTE_TYPE, '80');
    stream.acknowledge(ROUTE_TYPE);
    stream.put(CLUSTER_TYPE, 'b', '1');
    stream.acknowledge(CLUSTER_TYPE);
    return stream;
  }

  test('waits for routes that were named, and no longer when they turn out to be as they were', () => {
    const { sent, changed, remove, ask, acknowledge, close } = begin();
    changed(ROUTE_TYPE, '80');
    remove(CLUSTER_TYPE, 'a');
    expect(sent.at(-1)).toBe('Cluster b@1');
    ask(ENDPOINT_TYPE, 'b');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.slice(-2)).toEqual(['ClusterLoadAssignment b@1', 'Cluster -a']);
    close();
  });

  test('waits for routes that were named, and no longer when the proxy gives them up', () => {
    const { sent, put, leave, remove, close } = begin();
    put(ROUTE_TYPE, '80', '2');
    remove(CLUSTER_TYPE, 'a');
    leave(ROUTE_TYPE, '', '80');
    expect(sent.at(-1)).toBe('Cluster -a');
    close();
  });

  test('is removed though one that was to go before it is there again', () => {
    const { sent, put, remove, ask, acknowledge, close } = begin();
    put(ROUTE_TYPE, '80', '2');
    remove(CLUSTER_TYPE, 'a');
    put(CLUSTER_TYPE, 'a', '1');
    remove(CLUSTER_TYPE, 'b');
    ask(ENDPOINT_TYPE, 'b');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.at(-1)).toBe('RouteConfiguration 80@2');
    acknowledge(ROUTE_TYPE);
    expect(sent.at(-1)).toBe('Cluster -b');
    close();
  });

  test('holds up no routes when the proxy gives it up before it is in use', () => {
    const { sent, put, leave, close } = begin();
    put(ROUTE_TYPE, '80', '2');
    leave(CLUSTER_TYPE, '', '*');
    expect(sent.at(-1)).toBe('RouteConfiguration 80@2');
    close();
  });
});

test('a proxy that refuses to hear that there are no such routes keeps no cluster for it', () => {
  const stream = openStream({ ...STREAM_SETTINGS, removalDelayMs: 0 });
  stream.put(CLUSTER_TYPE, 'a', '1');
  stream.ask(ROUTE_TYPE, '80');
  stream.refuse(ROUTE_TYPE, 'no');
  stream.ask(CLUSTER_TYPE, '*');
  stream.acknowledge(CLUSTER_TYPE);
  stream.remove(CLUSTER_TYPE, 'a');
  expect(stream.sent).toEqual(['RouteConfiguration -80', 'Cluster a@1', 'Cluster -a']);
  stream.close();
});

describe('routes', () => {
  test('wait for a new cluster until the proxy has it and its endpoints', () => {
    const { sent, put, ask, acknowledge, close } = openStream();
    ask(CLUSTER_TYPE);
    acknowledge(CLUSTER_TYPE);
    ask(ROUTE_TYPE, '80');
    acknowledge(ROUTE_TYPE);
    put(ENDPOINT_TYPE, 'a', '1');
    put(CLUSTER_TYPE, 'a', '1');
    put(ROUTE_TYPE, '80', '1');
    ask(ENDPOINT_TYPE, 'a');
    acknowledge(CLUSTER_TYPE);
    expect(sent.at(-1)).toBe('ClusterLoadAssignment a@1');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.at(-1)).toBe('RouteConfiguration 80@1');
    close();
  });

  test('do not wait longer because endpoints that are under way are named again, and are still the same', () => {
    const { sent, put, changed, ask, acknowledge, close } = openStream();
    ask(CLUSTER_TYPE);
    acknowledge(CLUSTER_TYPE);
    ask(ROUTE_TYPE, '80');
    acknowledge(ROUTE_TYPE);
    put(ENDPOINT_TYPE, 'a', '1');
    put(CLUSTER_TYPE, 'a', '1');
    put(ROUTE_TYPE, '80', '1');
    ask(ENDPOINT_TYPE, 'a');
    acknowledge(CLUSTER_TYPE);
    changed(ENDPOINT_TYPE, 'a');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.at(-1)).toBe('RouteConfiguration 80@1');
    close();
  });

  test('wait for endpoints that changed while they were under way', () => {
    const { sent, put, ask, acknowledge, close } = openStream();
    ask(CLUSTER_TYPE);
    acknowledge(CLUSTER_TYPE);
    ask(ROUTE_TYPE, '80');
    acknowledge(ROUTE_TYPE);
    put(ENDPOINT_TYPE, 'a', '1');
    put(CLUSTER_TYPE, 'a', '1');
    put(ROUTE_TYPE, '80', '1');
    ask(ENDPOINT_TYPE, 'a');
    acknowledge(CLUSTER_TYPE);
    put(ENDPOINT_TYPE, 'a', '2');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.at(-1)).toBe('ClusterLoadAssignment a@2');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.at(-1)).toBe('RouteConfiguration 80@1');
    close();
  });
});
