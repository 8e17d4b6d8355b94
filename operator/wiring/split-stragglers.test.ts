import { beforeEach, expect, test } from '@jest/globals';
import type { AckReport, ProxyReport } from '../ads/ack-report.ts';
import type { SplitQuery } from '../canary/ports.ts';
import type { MeshService, MeshSnapshot, RevisionSplit, Workload } from '../mesh/snapshot.ts';
import type { PolicyCarriers } from '../xds/policy-carriers.ts';
import { VIRTUAL_HOST_TYPE } from '../xds/resource.ts';
import { SplitCoverage } from './split-coverage.ts';

const HOST = 'orders.shop.svc';
const query: SplitQuery = {
  namespace: 'shop',
  canary: 'orders',
  services: [HOST],
  stable: 'a',
  next: 'b',
  side: { weight: 5, matched: false, mirror: 0 },
  terms: '',
};

interface Caller {
  connected: boolean;
  connectedAt: number;
  version: string;
}

let callers: Map<string, Caller>;
let newest: string;
let split: RevisionSplit;
let asked: string[];
let kin: (uid: string) => string;
let coverage: SplitCoverage;

const caller = (version = 'old', connectedAt = 1000): Caller => ({ connected: true, connectedAt, version });

function splitOf(weight: number): RevisionSplit {
  const canary = { kind: 'Canary', namespace: 'shop', name: 'orders' };
  return { canary, stable: 'a', next: 'b', weight };
}

function reportOf(uid: string): ProxyReport | undefined {
  const found = callers.get(uid);
  if (found === undefined) return undefined;
  return { identity: { uid }, ...found, acknowledged: () => found.version } as unknown as ProxyReport;
}

beforeEach(() => {
  callers = new Map(['one', 'two', 'three'].map((uid) => [uid, caller()]));
  newest = 'new';
  split = splitOf(5);
  asked = [];
  kin = (uid) => uid;
  const acks = {
    proxy: reportOf,
    proxies: () => [...callers.keys()].map(reportOf),
    // Never the same: reports are made anew at each question.
    moves: Number.NaN,
  } as unknown as AckReport;
  const carriers: PolicyCarriers = {
    kinOf: ({ uid }) => kin(uid),
    carriersOf: ({ uid }) => {
      asked.push(uid);
      return [{ typeUrl: VIRTUAL_HOST_TYPE, name: '80/host' }];
    },
    isCurrent: (_proxy, _policy, _resource, version) => version === newest,
  };
  const workloads = { get: () => ({ namespace: 'shop', revision: 'c' }) as Workload };
  const services = { get: () => ({ split, ports: [] }) as unknown as MeshService };
  coverage = new SplitCoverage(() => ({ services, workloads }) as unknown as MeshSnapshot, acks, carriers);
});

function acknowledge(...uids: readonly string[]): void {
  for (const uid of uids) callers.set(uid, caller(newest));
}

test('who has acknowledged a split is not asked again', () => {
  acknowledge('one');
  expect(coverage.coverage(query)).toMatchObject({ callers: 3, acknowledged: 1 });
  asked = [];
  acknowledge('two');
  expect(coverage.coverage(query)).toMatchObject({ callers: 3, acknowledged: 2 });
  expect(asked).toEqual(['two', 'three']);
  acknowledge('three');
  expect(coverage.coverage(query)).toMatchObject({ callers: 3, acknowledged: 3 });
});

test('another split is asked for of all', () => {
  acknowledge('one', 'two', 'three');
  expect(coverage.coverage(query)).toMatchObject({ callers: 3, acknowledged: 3 });
  split = splitOf(50);
  newest = 'newer';
  const next = { ...query, side: { ...query.side, weight: 50 } };
  expect(coverage.coverage(next)).toMatchObject({ callers: 3, acknowledged: 0 });
});

test('nobody waits for one that is gone', () => {
  acknowledge('one', 'two');
  expect(coverage.coverage(query)).toMatchObject({ callers: 3, acknowledged: 2 });
  callers.delete('three');
  expect(coverage.coverage(query)).toMatchObject({ callers: 2, acknowledged: 2 });
});

test('one that connects meanwhile with an older split is waited for', () => {
  acknowledge('one', 'two');
  expect(coverage.coverage(query)).toMatchObject({ callers: 3, acknowledged: 2 });
  callers.set('four', caller('old', 2000));
  acknowledge('three');
  expect(coverage.coverage(query)).toMatchObject({ callers: 4, acknowledged: 3 });
  acknowledge('four');
  expect(coverage.coverage(query)).toMatchObject({ callers: 4, acknowledged: 4 });
});

test('there are callers again once some have come back', () => {
  expect(coverage.coverage(query)).toMatchObject({ callers: 3, acknowledged: 0 });
  for (const one of callers.values()) one.connected = false;
  expect(coverage.coverage(query)).toMatchObject({ callers: 0, acknowledged: 0 });
  acknowledge('one');
  expect(coverage.coverage(query)).toMatchObject({ callers: 1, acknowledged: 1 });
});

test('of proxies that are alike one is looked up for all, and each by the version that it has', () => {
  kin = () => 'alike';
  for (const [uid, version] of [
    ['one', 'new'],
    ['two', 'old'],
    ['three', 'new'],
  ] as const)
    callers.set(uid, caller(version));
  expect(coverage.coverage(query)).toMatchObject({ callers: 3, acknowledged: 2 });
  expect(asked).toEqual(['one']);
  // The next weight is another matter.
  newest = 'newer';
  split = splitOf(50);
  expect(coverage.coverage({ ...query, side: { weight: 50, matched: false, mirror: 0 } })).toMatchObject({
    callers: 3,
    acknowledged: 0,
  });
});
