import { afterEach, describe, expect, test } from '@jest/globals';
import { LEASE } from './kinds.ts';
import { KubeConnectionError } from './kube-error.ts';
import { LeaderElection, type LeaderElectionOptions, type Lease } from './leader-election.ts';
import { eventually, MemoryApi } from './testing/memory-api.ts';

const running: LeaderElection[] = [];
afterEach(async () => {
  for (const election of running.splice(0)) await election.stop();
});

const LEASE_NAME = { namespace: 'heddle-system', name: 'operator' };
const TIMES = { leaseDurationMs: 800, renewDeadlineMs: 500, retryPeriodMs: 20 };

/** Knows how often it was asked, and can be cut off. */
class WatchedApi extends MemoryApi {
  looks = 0;
  isCut = false;
  override get: MemoryApi['get'] = async (...args) => {
    this.looks++;
    if (this.isCut) throw new KubeConnectionError('ECONNREFUSED', 'cut');
    return super.get(...args) as never;
  };

  /** Until whoever stands has seen the lease as it is now. */
  async seen(): Promise<void> {
    const { looks } = this;
    await eventually(() => this.looks >= looks + 2);
  }

  async hold(holderIdentity: string): Promise<void> {
    const spec = { holderIdentity, leaseDurationSeconds: 1 };
    const present = await super.get<Lease>(LEASE, LEASE_NAME).catch(() => undefined);
    if (present === undefined) await this.create<Lease>(LEASE, { metadata: LEASE_NAME, spec });
    else await this.update<Lease>(LEASE, { metadata: LEASE_NAME, spec });
  }
}

/** Stands by a clock that goes only where a test says so. */
function stand(api: LeaderElectionOptions['api'], identity: string, more: Partial<LeaderElectionOptions> = {}) {
  const log: string[] = [];
  const clock = { ms: 0 };
  const election = new LeaderElection({
    ...TIMES,
    api,
    ...LEASE_NAME,
    identity,
    onStarted: () => log.push('leads'),
    onLost: () => log.push('lost'),
    now: () => clock.ms,
    ...more,
  });
  running.push(election);
  election.start();
  return { election, log, clock };
}

describe('a candidate', () => {
  test('takes no lease that is renewed, however long that goes on, and one that is not after its duration', async () => {
    const api = new WatchedApi();
    const { election, clock, log } = stand(api, 'a');
    await api.hold('other');
    for (let renewals = 0; renewals < 4; renewals++) {
      await api.seen();
      clock.ms += 900;
      await api.seen();
      await api.hold('other');
    }
    await api.seen();
    expect(log.filter((word) => word === 'leads')).toEqual([]);
    clock.ms += 1001;
    await eventually(() => election.isLeader);
  });

  test('that takes a free lease a moment after another did does not lead', async () => {
    const api = new WatchedApi();
    await api.hold('');
    // Both have read it before either writes.
    const [one, other] = [stand(api, 'a'), stand(api, 'b')];
    await eventually(() => one.election.isLeader || other.election.isLeader);
    await api.seen();
    expect([...one.log, ...other.log]).toEqual(['leads']);
  });

  test.each([
    [300, ['leads']],
    [600, []],
  ])('counts its time from before it asked: an answer that takes %d ms of 500 makes it %j', async (ms, told) => {
    const api = new WatchedApi();
    const { election, clock, log } = stand(
      Object.assign(Object.create(api) as WatchedApi, {
        get: api.get,
        create: async (kind: typeof LEASE, lease: Lease) => {
          const created = await api.create(kind, lease);
          clock.ms += ms;
          api.isCut = true;
          return created;
        },
      }),
      'a',
    );
    await eventually(() => api.isCut);
    await api.seen();
    // Its timer may have run out by now.
    expect(log.filter((word) => word === 'leads')).toEqual(told);
    clock.ms = 501;
    expect(election.isLeader).toBe(false);
  });
});

describe('whoever stops while its lease is being written', () => {
  test.each(['create', 'update'] as const)('by a %s does not begin to lead, and keeps it from nobody', async (verb) => {
    const api = new WatchedApi();
    if (verb === 'update') await api.hold('');
    let answer: (() => void) | undefined;
    const write = api[verb].bind(api) as (kind: typeof LEASE, lease: Lease) => Promise<Lease>;
    api[verb] = (async (kind: typeof LEASE, lease: Lease) => {
      const written = await write(kind, lease);
      if (answer === undefined) {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
      }
      return written;
    }) as never;
    const { election, log } = stand(api, 'a');
    await eventually(() => answer !== undefined);
    const stopped = election.stop();
    answer?.();
    await stopped;
    expect([log, (await api.get<Lease>(LEASE, LEASE_NAME)).spec?.holderIdentity]).toEqual([[], '']);
  });
});

describe('a leader', () => {
  test('whose lease another holds gives up at once', async () => {
    const api = new WatchedApi();
    const { election, log } = stand(api, 'a');
    await eventually(() => election.isLeader);
    await api.hold('other');
    await api.seen();
    expect([election.isLeader, log]).toEqual([false, ['leads', 'lost']]);
  });

  test('that stops frees no lease that is another’s by now', async () => {
    const api = new WatchedApi();
    const { election } = stand(api, 'a', { retryPeriodMs: 400 });
    await eventually(() => election.isLeader);
    await api.hold('other');
    await election.stop();
    expect((await api.get<Lease>(LEASE, LEASE_NAME)).spec?.holderIdentity).toBe('other');
  });
});
