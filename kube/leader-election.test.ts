import { afterEach, describe, expect, test } from '@jest/globals';
import { LEASE } from './kinds.ts';
import { KubeConnectionError } from './kube-error.ts';
import { LeaderElection, type LeaderElectionOptions, type Lease } from './leader-election.ts';
import { eventually, MemoryApi } from './testing/memory-api.ts';

const running: LeaderElection[] = [];
afterEach(async () => {
  for (const election of running.splice(0)) await election.stop();
});

const TIMES = { leaseDurationMs: 800, renewDeadlineMs: 500, retryPeriodMs: 20 };
/** Long enough for the busiest machine. */
const PATIENCE_MS = 20_000;

function stand(api: LeaderElectionOptions['api'], identity: string, log: string[] = []): LeaderElection {
  const election = new LeaderElection({
    ...TIMES,
    api,
    namespace: 'heddle-system',
    name: 'operator',
    identity,
    onStarted: () => log.push(`${identity} leads`),
    onLost: () => log.push(`${identity} lost`),
  });
  running.push(election);
  election.start();
  return election;
}

/** An API whose connection can be cut. */
class CutApi extends MemoryApi {
  readonly #inner: MemoryApi;
  isCut = false;

  constructor(inner: MemoryApi) {
    super();
    this.#inner = inner;
  }

  override get: MemoryApi['get'] = (...args) => this.#pass(() => this.#inner.get(...args)) as never;
  override create: MemoryApi['create'] = (...args) => this.#pass(() => this.#inner.create(...args)) as never;
  override update: MemoryApi['update'] = (...args) => this.#pass(() => this.#inner.update(...args)) as never;

  async #pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.isCut) throw new KubeConnectionError('ECONNREFUSED', 'cut');
    return call();
  }
}

/** An API that from some moment on answers nothing, and gives a write up only when its caller set a time. */
class SilentApi extends MemoryApi {
  silent: 'get' | 'create' | 'update' | undefined;

  override get: MemoryApi['get'] = (...args) => this.#pass('get', () => super.get(...args)) as never;
  override create = ((kind: typeof LEASE, lease: Lease, options: { timeoutMs?: number } = {}) =>
    this.#pass('create', () => super.create(kind, lease), options.timeoutMs)) as never;
  override update = ((kind: typeof LEASE, lease: Lease, options: { timeoutMs?: number } = {}) =>
    this.#pass('update', () => super.update(kind, lease), options.timeoutMs)) as never;

  #pass<T>(verb: string, call: () => Promise<T>, timeoutMs = 60_000): Promise<T> {
    if (this.silent !== verb) return call();
    return new Promise((_, reject) => {
      setTimeout(() => reject(new KubeConnectionError('ETIMEDOUT', 'no answer')), timeoutMs).unref();
    });
  }
}

describe('LeaderElection', () => {
  test('one of several becomes leader, and only one', async () => {
    const api = new MemoryApi();
    const elections = ['a', 'b', 'c'].map((identity) => stand(api, identity));
    await eventually(() => elections.some(({ isLeader }) => isLeader));
    for (let round = 0; round < 20; round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(elections.filter(({ isLeader }) => isLeader).length).toBeLessThanOrEqual(1);
    }
  });

  test('a leader that stops hands over at once', async () => {
    const api = new MemoryApi();
    const first = stand(api, 'a');
    await eventually(() => first.isLeader);
    const second = stand(api, 'b');
    const begun = performance.now();
    await first.stop();
    await eventually(() => second.isLeader);
    expect(performance.now() - begun).toBeLessThan(TIMES.leaseDurationMs);
  });

  test('a leader that is cut off gives up before another takes over', async () => {
    const api = new MemoryApi();
    const log: string[] = [];
    const cut = new CutApi(api);
    const first = stand(cut, 'a', log);
    await eventually(() => first.isLeader);
    const second = stand(api, 'b', log);
    cut.isCut = true;
    await eventually(() => second.isLeader);
    expect(log).toEqual(['a leads', 'a lost', 'b leads']);
  });

  test.each(['get', 'update'] as const)(
    'a leader whose %s is not answered gives up and stops in time',
    async (verb) => {
      const api = new SilentApi();
      const log: string[] = [];
      const election = stand(api, 'a', log);
      await eventually(() => election.isLeader);
      api.silent = verb;
      // When exactly is what leader-election-clock.test.ts tells; here, that neither waits for an answer that never comes.
      await eventually(() => log.includes('a lost'), 'giving up', PATIENCE_MS);
      await election.stop();
    },
  );

  test.each(['get', 'create'] as const)(
    'a candidate whose %s is not answered asks again, and stops in time',
    async (verb) => {
      const api = new SilentApi();
      api.silent = verb;
      const election = stand(api, 'a');
      await new Promise((resolve) => setTimeout(resolve, 50));
      api.silent = undefined;
      await eventually(() => election.isLeader, 'leading', PATIENCE_MS);
      api.silent = verb;
      await election.stop();
    },
  );

  test('a lease of a dead process with a clock far ahead is taken over after its duration', async () => {
    const api = new MemoryApi();
    const spec = { holderIdentity: 'dead', leaseDurationSeconds: 1, renewTime: '2999-01-01T00:00:00.000000Z' };
    await api.create<Lease>(LEASE, { metadata: { namespace: 'heddle-system', name: 'operator' }, spec });
    const begun = performance.now();
    const election = stand(api, 'a');
    await eventually(() => election.isLeader);
    expect(performance.now() - begun).toBeGreaterThan(900);
  });

  test('is no leader by its own clock once the deadline has passed, even before its timer fires', async () => {
    let skew = 0;
    const api = new MemoryApi();
    const election = new LeaderElection({
      ...TIMES,
      api,
      namespace: 'heddle-system',
      name: 'operator',
      identity: 'a',
      now: () => performance.now() + skew,
    });
    running.push(election);
    election.start();
    await eventually(() => election.isLeader);
    skew = 600;
    expect(election.isLeader).toBe(false);
  });

  test('that was none for a moment, as its event loop was busy, is told to lead anew', async () => {
    const log: string[] = [];
    let skippedMs = 0;
    const election = new LeaderElection({
      ...TIMES,
      renewDeadlineMs: 100_000,
      leaseDurationMs: 200_000,
      api: new MemoryApi(),
      namespace: 'heddle-system',
      name: 'operator',
      identity: 'a',
      now: () => performance.now() + skippedMs,
      onStarted: () => log.push('leads'),
      onLost: () => log.push('lost'),
    });
    running.push(election);
    election.start();
    await eventually(() => election.isLeader);
    // More than the deadline, of which its timer knows nothing.
    skippedMs = 150_000;
    expect(election.isLeader).toBe(false);
    await eventually(() => election.isLeader);
    expect(log).toEqual(['leads', 'lost', 'leads']);
  });

  test('refuses times that cannot be safe', () => {
    const options = { api: new MemoryApi(), namespace: 'x', name: 'y', identity: 'z' };
    expect(() => new LeaderElection({ ...options, renewDeadlineMs: 15_000 })).toThrow(/leaseDurationMs/);
  });
});
