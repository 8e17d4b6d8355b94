import { describe, expect, test } from '@jest/globals';
import type { NamespaceUsage, PodUsage } from '../usage/pod-usage.ts';
import type { Pod } from './objects.ts';
import { UsageWatch } from './usage-watch.ts';

const START = Date.UTC(2026, 0, 1);
const MIB = 2 ** 20;
const at = (second: number) => START + second * 1000;

/** A pod that serves since a second of the day, with a limit of one core and 100 MiB unless told. */
function pod(name: string, revision: string, second = -600, resources: object | undefined = undefined): Pod {
  const limits = { limits: { cpu: '1', memory: '100Mi' } };
  const lastTransitionTime = new Date(at(second)).toISOString();
  const ready = ['ContainersReady', 'Ready'].map((type) => ({ type, status: 'True', lastTransitionTime }));
  return {
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, labels: { 'pod-template-hash': revision } },
    spec: { containers: [{ name: 'app', resources: resources ?? limits }] },
    status: { conditions: ready },
  };
}

/** A sample of 15 s that ends at a second of the day. */
function sample(second: number, cpuCores: number, mib = 50): PodUsage {
  const used = { cpuCores, memoryBytes: mib * MIB };
  return { at: at(second), windowMs: 15_000, ...used, containers: new Map([['app', used]]) };
}

/** A window that began at second 0. */
class Watched {
  known: NamespaceUsage | undefined;
  pods: readonly Pod[];
  readonly #watch = new UsageWatch({ ofNamespace: () => this.known });

  constructor(...pods: readonly Pod[]) {
    this.pods = pods;
  }

  look(second: number, samples?: Record<string, PodUsage>, metric = 'cpu-usage', since = 0) {
    if (samples) this.known = { pods: new Map(Object.entries(samples)), problem: undefined };
    const query = {
      uid: 'u',
      namespace: 'shop',
      metric,
      revision: 'r2',
      stableRevision: 'r1',
      isNodeAlive: () => true,
    };
    return this.#watch.answer({ ...query, since: at(since), now: at(second), pods: this.pods });
  }
}

describe('what the pods of a window used', () => {
  test('is nothing before anything was answered, and nothing of other metrics', () => {
    const watched = new Watched(pod('a', 'r2'));
    expect(watched.look(5)).toBeUndefined();
    expect(watched.look(5, {}, 'request-count')).toBeUndefined();
  });

  test('is the mean over two samples of each pod, of both revisions', () => {
    const watched = new Watched(pod('a', 'r2'), pod('b', 'r2'), pod('s', 'r1'));
    watched.look(20, { a: sample(15, 0.2), b: sample(16, 0.4), s: sample(17, 0.1) });
    const answer = watched.look(35, { a: sample(30, 0.4), b: sample(31, 0.6), s: sample(32, 0.1) });
    expect(answer?.next).toMatchObject({ pods: 2, measured: 2 });
    expect(answer?.next.mean).toBeCloseTo(0.4);
    expect(answer?.next.share).toBeCloseTo(40);
    expect(answer?.stable).toMatchObject({ pods: 1, measured: 1 });
    const memory = watched.look(35, undefined, 'memory-usage');
    expect(memory?.next).toMatchObject({ mean: 50 * MIB, share: 50 });
  });

  test('counts a sample once, however often it is looked at', () => {
    const watched = new Watched(pod('a', 'r2'));
    for (const second of [16, 18, 20, 22]) watched.look(second, { a: sample(15, 0.2) });
    expect(watched.look(24)?.next).toEqual({ pods: 1, measured: 0, missing: ['a'] });
  });

  test('is of no time before the window, nor before the pod was ready: what starting takes is left out', () => {
    const watched = new Watched(pod('a', 'r2'), pod('young', 'r2', 10));
    watched.look(15, { a: sample(14, 0.9), young: sample(14, 0.9) });
    watched.look(31, { a: sample(16, 0.1), young: sample(24, 0.9) });
    watched.look(45, { a: sample(31, 0.1), young: sample(39, 0.2) });
    const answer = watched.look(55, { a: sample(46, 0.1), young: sample(54, 0.2) });
    expect(answer?.next).toMatchObject({ pods: 2, measured: 2 });
    expect(answer?.next.mean).toBeCloseTo(0.15);
  });

  test('begins anew with another window, and is forgotten of pods that are gone', () => {
    const watched = new Watched(pod('a', 'r2'), pod('b', 'r2'));
    watched.look(16, { a: sample(15, 0.2), b: sample(15, 0.9) });
    expect(watched.look(31, { a: sample(30, 0.2), b: sample(30, 0.9) })?.next.measured).toBe(2);
    watched.pods = [pod('a', 'r2')];
    const left = watched.look(32)?.next;
    expect([left?.pods, left?.measured, left?.mean?.toFixed(2)]).toEqual([1, 1, '0.20']);
    expect(watched.look(33, undefined, 'cpu-usage', 31)?.next).toMatchObject({ measured: 0 });
  });

  test('misses a pod of which nothing is told, and names it', () => {
    const watched = new Watched(pod('a', 'r2'), pod('silent', 'r2'));
    watched.look(16, { a: sample(15, 0.2) });
    const answer = watched.look(31, { a: sample(30, 0.2) });
    expect(answer?.next).toMatchObject({ pods: 2, measured: 1, missing: ['silent'] });
    expect(answer?.error).toBeUndefined();
  });

  test('does not wait for a pod that an autoscaler has just added, but for one that has served for a minute', () => {
    const watched = new Watched(pod('a', 'r2'), pod('added', 'r2', 20));
    watched.look(16, { a: sample(15, 0.2) });
    expect(watched.look(31, { a: sample(30, 0.2) })?.next).toMatchObject({ pods: 1, measured: 1 });
    expect(watched.look(81, { a: sample(75, 0.2) })?.next).toMatchObject({ pods: 2, missing: ['added'] });
  });

  test('is none of pods that can not serve', () => {
    const broken = pod('broken', 'r2');
    broken.status = { conditions: [{ type: 'ContainersReady', status: 'False' }] };
    const watched = new Watched(broken);
    expect(watched.look(31, { broken: sample(30, 0.9) })?.next).toEqual({ pods: 0, measured: 0 });
  });

  test('is missing again when the newest sample is old, which is said', () => {
    const watched = new Watched(pod('a', 'r2'));
    watched.look(16, { a: sample(15, 0.2) });
    watched.look(31, { a: sample(30, 0.2) });
    expect(watched.look(119)?.next.measured).toBe(1);
    const answer = watched.look(130);
    expect(answer).toMatchObject({ reason: 'StaleUsage', next: { pods: 1, measured: 0, missing: ['a'] } });
    expect(answer?.error).toBe('the newest sample of pod a is 100 s old; see to metrics-server');
  });

  test('tells why the newest question had no answer', () => {
    const watched = new Watched(pod('a', 'r2'));
    const problem = { reason: 'NoMetricsApi', message: 'there is none' } as const;
    watched.known = { pods: new Map(), problem };
    expect(watched.look(5)).toMatchObject({ reason: 'NoMetricsApi', error: 'there is none', next: { measured: 0 } });
  });

  test('has no share without a limit, and names the field', () => {
    const watched = new Watched(pod('a', 'r2', -600, { limits: { memory: '100Mi' } }));
    watched.look(16, { a: sample(15, 0.2) });
    watched.look(31, { a: sample(30, 0.2) });
    const cpu = watched.look(31)?.next;
    expect(cpu?.unlimited).toBe('spec.containers[app].resources.limits.cpu');
    expect(cpu?.share).toBeUndefined();
    expect(watched.look(31, undefined, 'memory-usage')?.next.share).toBeCloseTo(50);
  });

  test('is nothing of a sample that lacks a container: its other half would pass for all of it, and it has no share', () => {
    const watched = new Watched(pod('a', 'r2'));
    const lacking: PodUsage = { ...sample(15, 0.01), containers: new Map() };
    watched.look(16, { a: lacking });
    expect(watched.look(31, { a: sample(30, 0.2) })?.next).toMatchObject({ pods: 1, measured: 0 });
    const whole = watched.look(46, { a: sample(45, 0.4) })?.next;
    expect(whole).toMatchObject({ pods: 1, measured: 1 });
    expect(whole?.mean).toBeCloseTo(0.3);
    expect(whole?.share).toBeCloseTo(30);
  });

  test('of 1,000 pods is written down in a few hundred bytes', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `pod-${i}`);
    const watched = new Watched(...names.map((name) => pod(name, 'r2')));
    const all = (second: number) => Object.fromEntries(names.slice(0, 900).map((name) => [name, sample(second, 0.2)]));
    watched.look(16, all(15));
    const answer = watched.look(31, all(30));
    expect(answer?.next).toMatchObject({ pods: 1000, measured: 900, missing: ['pod-900', 'pod-901', 'pod-902'] });
    expect(JSON.stringify(answer).length).toBeLessThan(400);
  });
});
