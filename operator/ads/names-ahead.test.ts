import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE } from '../xds/resource.ts';
import { STREAM_SETTINGS } from './stream-settings.ts';
import { openStream } from './testing/open-stream.ts';
import { WorkloadMemory } from './workload-memory.ts';

type Stream = ReturnType<typeof openStream>;

describe('a stream that sends ahead', () => {
  let memory: WorkloadMemory;
  const open: Stream[] = [];

  beforeEach(() => {
    memory = new WorkloadMemory({ workloadOf: () => 'shop/web', now: () => 0, bounds: { namesOfWorkload: 3 } });
  });

  afterEach(() => {
    for (const stream of open.splice(0)) stream.close();
  });

  /** The stream of a pod of one workload, with clusters that there are. */
  function pod(uid: string, ...clusters: string[]): Stream {
    const stream = openStream({ ...STREAM_SETTINGS, removalDelayMs: 0 }, memory, uid);
    for (const name of clusters) stream.put(CLUSTER_TYPE, name, '1');
    open.push(stream);
    return stream;
  }

  /** A proxy that has started comes back: it asks for listeners, too, upon which its clusters may change. */
  function comeBack(stream: Stream, held: Record<string, string>, ...subscribe: string[]): void {
    stream.resume(CLUSTER_TYPE, held, ...subscribe);
    stream.resume(LISTENER_TYPE, {}, '*');
    stream.acknowledge(LISTENER_TYPE);
  }

  /** What was sent of clusters. */
  const clusters = ({ sent }: Stream): string[] => sent.filter((line) => line.startsWith('Cluster'));

  /** A pod that has asked for a cluster. */
  function user(...names: string[]): Stream {
    const stream = pod('first', 'all', ...names);
    stream.ask(CLUSTER_TYPE);
    stream.acknowledge(CLUSTER_TYPE);
    stream.ask(CLUSTER_TYPE, ...names);
    stream.acknowledge(CLUSTER_TYPE);
    return stream;
  }

  test('has in its first response what a pod of the workload asked for, as far as it exists', () => {
    expect(user('lazy1', 'lazy2').sent).toEqual(['Cluster all@1', 'Cluster lazy1@1,lazy2@1']);
    const next = pod('second', 'all', 'lazy1', 'lazy3');
    next.ask(CLUSTER_TYPE);
    next.acknowledge(CLUSTER_TYPE);
    expect(next.sent).toEqual(['Cluster lazy1@1,all@1']);
    expect(next.inForce(CLUSTER_TYPE, 'lazy1')).toBe('1');
    // One that did not exist at the start is asked for like any other.
    next.put(CLUSTER_TYPE, 'lazy2', '1');
    expect(next.sent).toHaveLength(1);
    next.ask(CLUSTER_TYPE, 'lazy2');
    expect(next.sent.at(-1)).toBe('Cluster lazy2@1');
  });

  test('answers with nothing but what there is: an empty first response is one', () => {
    user('lazy1');
    const next = pod('second');
    next.ask(CLUSTER_TYPE);
    expect(next.sent).toEqual(['Cluster ']);
  });

  test('changes and removes what it sent ahead like what was asked for', () => {
    user('lazy1');
    const next = pod('second', 'lazy1');
    next.ask(CLUSTER_TYPE);
    next.acknowledge(CLUSTER_TYPE);
    next.put(CLUSTER_TYPE, 'lazy1', '2');
    next.acknowledge(CLUSTER_TYPE);
    next.remove(CLUSTER_TYPE, 'lazy1');
    next.acknowledge(CLUSTER_TYPE);
    next.put(CLUSTER_TYPE, 'lazy1', '3');
    expect(next.sent).toEqual(['Cluster lazy1@1', 'Cluster lazy1@2', 'Cluster -lazy1', 'Cluster lazy1@3']);
  });

  test('leaves a proxy that comes back what it was sent ahead, and sends it no more than what differs', () => {
    user('lazy1', 'lazy2', 'lazy3');
    const back = pod('second', 'all', 'lazy1', 'lazy2');
    // It asked for the second itself; the third is gone, and nobody asked for the fourth.
    const held = { all: '1', lazy1: '1', lazy2: '1', lazy3: '1' };
    comeBack(back, held, '*', 'lazy2');
    expect(clusters(back)).toEqual(['Cluster -lazy3']);
    back.acknowledge(CLUSTER_TYPE);
    expect(back.inForce(CLUSTER_TYPE, 'lazy1')).toBe('1');
    back.put(CLUSTER_TYPE, 'lazy1', '2');
    back.put(CLUSTER_TYPE, 'lazy4', '1');
    expect(clusters(back)).toEqual(['Cluster -lazy3', 'Cluster lazy1@2']);
  });

  test('learns from proxies that come back after a restart, of those that asked and of those that were sent it ahead', () => {
    const back = pod('first', 'all', 'lazy1', 'lazy2');
    comeBack(back, { all: '1', lazy1: '0', lazy2: '1' }, '*', 'lazy2');
    expect(clusters(back)).toEqual(['Cluster lazy1@1']);
    expect(memory.ahead({ uid: '', podName: '', namespace: '', serviceAccount: '' }, CLUSTER_TYPE)).toEqual([
      'lazy1',
      'lazy2',
    ]);
  });

  test('takes away what a proxy holds that was sent everything until then, and does not learn it', () => {
    const names = ['lazy1', 'lazy2', 'lazy3', 'lazy4'];
    const back = pod('first', 'all', ...names);
    comeBack(back, { all: '1', lazy1: '1', lazy2: '1', lazy3: '1', lazy4: '1' });
    expect(clusters(back)).toEqual(['Cluster -lazy1,-lazy2,-lazy3,-lazy4']);
    expect(memory.size).toBe(0);
  });

  test('does not remember what is made up, nor what is asked for of other types', () => {
    const first = user('lazy1');
    first.ask(CLUSTER_TYPE, 'lazy-made-up');
    first.put(ENDPOINT_TYPE, 'lazy1', '1');
    first.ask(ENDPOINT_TYPE, 'lazy1');
    expect(memory.size).toBe(1);
  });

  test('sends ahead once: at the first request of a proxy that holds nothing', () => {
    const next = pod('second', 'lazy1', 'lazy2');
    next.ask(CLUSTER_TYPE);
    user('lazy1', 'lazy2');
    next.acknowledge(CLUSTER_TYPE);
    next.ask(CLUSTER_TYPE, 'lazy2');
    expect(next.sent).toEqual(['Cluster ', 'Cluster lazy2@1']);
  });

  test('lets go of what was sent ahead when the proxy does', () => {
    user('lazy1');
    const next = pod('second', 'lazy1');
    next.ask(CLUSTER_TYPE);
    next.leave(CLUSTER_TYPE, next.nonceOf(CLUSTER_TYPE), '*');
    next.put(CLUSTER_TYPE, 'lazy1', '2');
    expect(next.sent).toEqual(['Cluster lazy1@1']);
  });
});
