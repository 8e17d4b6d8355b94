import { describe, expect, test } from '@jest/globals';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from '../xds/resource.ts';
import { STREAM_SETTINGS } from './stream-settings.ts';
import { openStream } from './testing/open-stream.ts';

const AT_ONCE = { ...STREAM_SETTINGS, removalDelayMs: 0 };

/** A proxy that waits for the route configuration 80. */
function awaitingRoutes() {
  const stream = openStream(AT_ONCE);
  stream.ask(ROUTE_TYPE, '80');
  stream.acknowledge(ROUTE_TYPE);
  for (const name of ['a', 'b']) stream.put(ENDPOINT_TYPE, name, '1');
  return stream;
}

/** A proxy that has clusters and routes. */
function settled(...clusters: string[]) {
  const stream = openStream(AT_ONCE);
  for (const name of clusters) stream.put(CLUSTER_TYPE, name, '1');
  for (const name of ['80', '81', '82']) stream.put(ROUTE_TYPE, name, '1');
  stream.ask(CLUSTER_TYPE, '*');
  stream.acknowledge(CLUSTER_TYPE);
  stream.ask(ROUTE_TYPE, '80', '81', '82');
  stream.acknowledge(ROUTE_TYPE);
  stream.sent.length = 0;
  return stream;
}

describe('an answer', () => {
  test('to another response than the one under way settles nothing', () => {
    const { sent, put, ask, leave, inForce, acknowledge, close } = openStream();
    put(CLUSTER_TYPE, 'a', '1');
    ask(CLUSTER_TYPE, '*');
    put(CLUSTER_TYPE, 'a', '2');
    leave(CLUSTER_TYPE, 'stale');
    expect([sent, inForce(CLUSTER_TYPE, 'a')]).toEqual([['Cluster a@1'], undefined]);
    acknowledge(CLUSTER_TYPE);
    expect([sent.at(-1), inForce(CLUSTER_TYPE, 'a')]).toEqual(['Cluster a@2', '1']);
    close();
  });

  test('does not tell what the proxy holds, which only its first request does', () => {
    const { sent, put, ask, resume, inForce, acknowledge, close } = openStream();
    put(CLUSTER_TYPE, 'a', '1');
    ask(CLUSTER_TYPE, '*');
    acknowledge(CLUSTER_TYPE);
    resume(CLUSTER_TYPE, { a: '0' });
    expect([sent, inForce(CLUSTER_TYPE, 'a')]).toEqual([['Cluster a@1'], '1']);
    close();
  });

  test('that refuses a removal leaves nothing in force: Envoy removes what a response removes all the same', () => {
    const { sent, remove, refuse, inForce, close } = settled();
    remove(ROUTE_TYPE, '80');
    expect([sent.at(-1), inForce(ROUTE_TYPE, '80')]).toEqual(['RouteConfiguration -80', '1']);
    refuse(ROUTE_TYPE, 'no');
    expect(inForce(ROUTE_TYPE, '80')).toBeUndefined();
    close();
  });
});

describe('a culprit among many', () => {
  test('once it is found, responses hold as much as before', () => {
    const { sent, put, ask, refuse, acknowledge, close } = openStream();
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) put(CLUSTER_TYPE, name, '1');
    ask(CLUSTER_TYPE, '*');
    refuse(CLUSTER_TYPE, 'no');
    for (const _ of [1, 2]) acknowledge(CLUSTER_TYPE);
    expect(sent.slice(1)).toEqual(['Cluster a@1,b@1', 'Cluster c@1,d@1']);
    for (const name of names) put(CLUSTER_TYPE, name, '2');
    acknowledge(CLUSTER_TYPE);
    expect(sent.slice(3)).toEqual(['Cluster a@2', 'Cluster b@2,c@2,d@2']);
    close();
  });

  test('is no cluster that routes wait for where it went before it was sent again', () => {
    const { sent, put, remove, ask, refuse, acknowledge, close } = awaitingRoutes();
    for (const name of ['a', 'b']) put(CLUSTER_TYPE, name, '1');
    ask(CLUSTER_TYPE, '*');
    put(ROUTE_TYPE, '80', '1');
    remove(CLUSTER_TYPE, 'a');
    refuse(CLUSTER_TYPE, 'no');
    expect(sent.slice(-2)).toEqual(['Cluster a@1,b@1', 'Cluster b@1']);
    acknowledge(CLUSTER_TYPE);
    ask(ENDPOINT_TYPE, 'b');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.at(-1)).toBe('RouteConfiguration 80@1');
    close();
  });

  test('is not waited for by routes, though it has endpoints, for which the proxy will not ask', () => {
    const { sent, put, ask, refuse, close } = awaitingRoutes();
    put(CLUSTER_TYPE, 'a', '1');
    ask(CLUSTER_TYPE, '*');
    put(ROUTE_TYPE, '80', '1');
    expect(sent.at(-1)).toBe('Cluster a@1');
    refuse(CLUSTER_TYPE, 'a: no');
    expect(sent.at(-1)).toBe('RouteConfiguration 80@1');
    close();
  });

  test('among routes keeps clusters until all of these are acknowledged, not the first part', () => {
    const { sent, put, remove, refuse, acknowledge, close } = settled('a');
    for (const name of ['80', '81', '82']) put(ROUTE_TYPE, name, '2');
    remove(CLUSTER_TYPE, 'a');
    acknowledge(ROUTE_TYPE);
    refuse(ROUTE_TYPE, 'no');
    acknowledge(ROUTE_TYPE);
    expect(sent).toEqual(['80@2', '81@2,82@2', '81@2', '82@2'].map((names) => `RouteConfiguration ${names}`));
    acknowledge(ROUTE_TYPE);
    expect(sent.at(-1)).toBe('Cluster -a');
    close();
  });
});

describe('what goes', () => {
  test('after another cluster does not go with that, but waits for its own routes', () => {
    const { sent, put, remove, acknowledge, close } = settled('a', 'b');
    put(ROUTE_TYPE, '80', '2');
    remove(CLUSTER_TYPE, 'a');
    put(ROUTE_TYPE, '80', '3');
    remove(CLUSTER_TYPE, 'b');
    acknowledge(ROUTE_TYPE);
    expect(sent).toEqual(['RouteConfiguration 80@2', 'RouteConfiguration 80@3', 'Cluster -a']);
    acknowledge(CLUSTER_TYPE);
    expect(sent).toHaveLength(3);
    acknowledge(ROUTE_TYPE);
    expect(sent.at(-1)).toBe('Cluster -b');
    close();
  });

  test('goes with the last of several responses', () => {
    const { sent, put, remove, ask, acknowledge, close } = openStream({ ...AT_ONCE, responseBytes: 1 });
    const names = ['a', 'b', 'c', 'z'];
    for (const name of names) put(ENDPOINT_TYPE, name, '1');
    ask(ENDPOINT_TYPE, ...names);
    for (const _ of names) acknowledge(ENDPOINT_TYPE);
    put(ENDPOINT_TYPE, 'a', '2');
    remove(ENDPOINT_TYPE, 'z');
    for (const name of ['b', 'c']) put(ENDPOINT_TYPE, name, '2');
    for (const _ of [1, 2]) acknowledge(ENDPOINT_TYPE);
    expect(sent.slice(4)).toEqual(['a@2', 'b@2', 'c@2,-z'].map((one) => `ClusterLoadAssignment ${one}`));
    close();
  });
});

describe('routes', () => {
  test('wait for a cluster that has not been sent yet, as a removal is under way', () => {
    const { sent, put, remove, acknowledge, close } = settled('a');
    remove(CLUSTER_TYPE, 'a');
    put(CLUSTER_TYPE, 'b', '1');
    put(ROUTE_TYPE, '80', '2');
    expect(sent).toEqual(['Cluster -a']);
    acknowledge(CLUSTER_TYPE);
    expect(sent.slice(1)).toEqual(['Cluster b@1']);
    acknowledge(CLUSTER_TYPE);
    expect(sent.slice(2)).toEqual(['RouteConfiguration 80@2']);
    close();
  });
});

describe('endpoints of a cluster that changed', () => {
  test('come again, and those that are there are in force meanwhile', () => {
    const { sent, put, ask, inForce, acknowledge, close } = openStream();
    for (const typeUrl of [ENDPOINT_TYPE, CLUSTER_TYPE]) put(typeUrl, 'a', '1');
    ask(CLUSTER_TYPE, '*');
    acknowledge(CLUSTER_TYPE);
    ask(ENDPOINT_TYPE, 'a');
    acknowledge(ENDPOINT_TYPE);
    put(CLUSTER_TYPE, 'a', '2');
    expect(sent.slice(2)).toEqual(['Cluster a@2', 'ClusterLoadAssignment a@1']);
    expect(inForce(ENDPOINT_TYPE, 'a')).toBe('1');
    close();
  });

  test('come to a proxy that says it holds them, when it was sent the cluster on this stream', () => {
    const { sent, put, ask, resume, close } = openStream();
    put(ENDPOINT_TYPE, 'a', '1');
    put(CLUSTER_TYPE, 'a', '2');
    ask(LISTENER_TYPE, '*');
    resume(CLUSTER_TYPE, { a: '1' });
    expect(sent.at(-1)).toBe('Cluster a@2');
    resume(ENDPOINT_TYPE, { a: '1' }, 'a');
    expect(sent.at(-1)).toBe('ClusterLoadAssignment a@1');
    close();
  });
});
