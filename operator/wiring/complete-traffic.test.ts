import { describe, expect, test } from '@jest/globals';
import type { AckReport, ProxyReport } from '../ads/ack-report.ts';
import type { MeshSnapshot, Workload } from '../mesh/snapshot.ts';
import type { TrafficAnswer, TrafficQuery } from '../telemetry/traffic.ts';
import { CompleteTraffic } from './complete-traffic.ts';

const NOW = 1_700_000_000_000;
const side = { requests: 100, failures: 0, p99Ms: 1, durations: [], reporters: 1 };
const query: TrafficQuery = {
  namespace: 'shop',
  services: ['orders.shop.svc'],
  revision: 'new',
  since: NOW - 10_000,
  until: NOW,
};

interface Shape {
  namespace?: string;
  revision?: string;
  serves?: boolean;
  here?: boolean;
  /** s since it last reported. */
  reported?: number;
  /** s since it began to serve. */
  servingFor?: number;
  calls?: boolean;
}

/** What is answered over pods of these shapes, by an operator that runs for an hour or as told (s). */
function ask(shapes: readonly Shape[], { complete = true, runningFor = 3600, all = true } = {}): TrafficAnswer {
  const pods = new Map(shapes.map((shape, at) => [`uid-${at}`, shape]));
  const workloads = new Map(
    [...pods].map(([uid, { namespace = 'other', revision = 'x' }]) => {
      return [uid, { name: uid.replace('uid', 'pod'), namespace, revision } as Workload];
    }),
  );
  const acks = { proxy: (uid: string) => (pods.get(uid)?.here ? ({} as ProxyReport) : undefined) };
  const ledger = {
    window: () => ({ callers: side, served: side, complete }),
    lastReport: (uid: string) => {
      const ago = pods.get(uid)?.reported;
      return ago === undefined ? undefined : NOW - ago * 1000;
    },
    callersOf: () => new Set([...pods].filter(([, { calls }]) => calls).map(([uid]) => uid)),
    startedAt: NOW - runningFor * 1000,
  };
  const servingSince = (uid: string) => {
    const { serves = true, servingFor = 3600 } = pods.get(uid) ?? {};
    return serves ? NOW - servingFor * 1000 : undefined;
  };
  const snapshot = () => ({ workloads }) as unknown as MeshSnapshot;
  return new CompleteTraffic(ledger, {
    snapshot,
    acks: acks as unknown as AckReport,
    servingSince,
    hearsAll: () => all,
  }).window(query);
}

const ours = { namespace: 'shop', revision: 'new' };

describe('an answer', () => {
  test.each<[string, Shape[], boolean]>([
    ['is complete with every proxy here', [{ here: true }, { here: true }], true],
    ['is complete without a pod that does not serve', [{ serves: false }], true],
    ['is not while a proxy is away that reported a moment ago', [{ reported: 20 }], false],
    ['is not while a pod that came up a moment ago is yet to come', [{ servingFor: 20 }], false],
    ['is complete without a pod that has been away for more than a minute', [{ reported: 61 }], true],
    ['is complete without a pod that was never here', [{}], true],
    ['is not without one that called the Services, however long it is away', [{ reported: 600, calls: true }], false],
    ['is not without a pod of the revision', [{ namespace: 'shop', revision: 'new' }], false],
    ['is complete without a pod of another revision', [{ namespace: 'shop', revision: 'old' }], true],
    // The replica that has its stream may stand still, and be taken for one that reports.
    ['is not while one of the revision is here and did not report', [{ ...ours, here: true, reported: 11 }], false],
    ['is not while one of the revision is here and never reported', [{ ...ours, here: true }], false],
    ['is complete once it did, in the window', [{ ...ours, here: true, reported: 5 }], true],
    ['is complete though another one is here and did not report', [{ here: true, reported: 11 }], true],
    ['is complete without a namesake of the revision elsewhere', [{ namespace: 'else', revision: 'new' }], true],
  ])('%s', (_, shapes, complete) => {
    expect(ask(shapes).complete).toBe(complete);
  });

  test('waits for everybody for a minute after the operator has come up', () => {
    expect(ask([{}], { runningFor: 59 }).complete).toBe(false);
    expect(ask([{}], { runningFor: 61 }).complete).toBe(true);
  });

  test('leaves nobody out while a replica does not report, which may have them', () => {
    expect(ask([{ reported: 600 }], { all: false })).toMatchObject({ complete: false, missing: ['other/pod-0'] });
  });

  test('names the pods that are missing, three at most', () => {
    const away: Shape = { reported: 5, namespace: 'shop' };
    const { missing, complete } = ask([{ here: true }, away, away, away, away]);
    expect({ missing, complete }).toEqual({ missing: ['shop/pod-1', 'shop/pod-2', 'shop/pod-3'], complete: false });
    expect(ask([{ here: true }])).not.toHaveProperty('missing');
  });

  test('is not complete when the ledger says so', () => {
    expect(ask([{ here: true }], { complete: false }).complete).toBe(false);
  });
});

test('pods are looked up once for all that ask at about the same time, and what they have reported each time', () => {
  let lookups = 0;
  let lastReport = NOW - 60_000;
  const workloads = new Map([['uid', { name: 'pod', namespace: 'shop', revision: 'new' } as Workload]]);
  const snapshot = () => {
    lookups++;
    return { workloads } as unknown as MeshSnapshot;
  };
  const source = new CompleteTraffic(
    {
      window: () => ({ callers: side, served: side, complete: true }),
      lastReport: () => lastReport,
      callersOf: () => new Set(),
      startedAt: NOW - 3_600_000,
    },
    {
      snapshot,
      acks: { proxy: () => ({}) as ProxyReport } as unknown as AckReport,
      servingSince: () => NOW - 3_600_000,
      hearsAll: () => true,
    },
  );
  expect(source.window(query).missing).toEqual(['shop/pod']);
  lastReport = NOW - 5000;
  expect(source.window({ ...query, until: NOW + 100 }).missing).toBeUndefined();
  expect(lookups).toBe(1);
  expect(source.window({ ...query, until: NOW + 1000 }).missing).toBeUndefined();
  expect(lookups).toBe(2);
});
