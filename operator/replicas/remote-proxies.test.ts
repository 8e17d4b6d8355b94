import { afterEach, expect, jest, test } from '@jest/globals';
import { silentLogger } from '../../kube/logger.ts';
import { GRACE_MS } from '../ads/proxy-registry.ts';
import { CLUSTER_TYPE } from '../xds/resource.ts';
import { RemoteProxies } from './remote-proxies.ts';
import { encodeReport, NOTHING_TO_REPORT, type ReportMessage } from './report-message.ts';

afterEach(() => {
  jest.useRealTimers();
});

const PROXY = { uid: 'web', podName: 'web-1', namespace: 'shop', serviceAccount: 'web' };

/** Two replicas that report to this one. */
function begin() {
  const metrics: string[] = [];
  const remote = new RemoteProxies({ metrics: (_, bytes) => metrics.push(String(bytes)), logger: silentLogger });
  const replica = (uid: string) => {
    const identity = { uid, podName: uid, namespace: 'heddle-system', serviceAccount: 'heddle-operator' };
    const caller = { identity, expiresAt: 0, checkNodeId: () => undefined };
    const listener = remote.conversation().start(caller, () => undefined);
    return {
      says: (message: Partial<ReportMessage>) => listener.message(encodeReport({ ...NOTHING_TO_REPORT, ...message })),
      ends: () => listener.closed(),
    };
  };
  return { remote, metrics, old: replica('old'), present: replica('present') };
}

const state = (connected: boolean, connectedAt: number) => ({ states: [{ ...PROXY, connected, connectedAt }] });
const inForce = (version: string) => ({
  terms: [{ typeUrl: CLUSTER_TYPE, name: 'a', version }],
  inForce: [{ uid: PROXY.uid, terms: [0], asked: [] }],
});

test('a proxy belongs to the replica that last had its stream, whatever the one before still says of it', () => {
  const { remote, metrics, old, present } = begin();
  old.says({ ...state(true, 1), ...inForce('1') });
  present.says({ ...state(true, 2), ...inForce('2') });
  const metric = (text: string) => ({ metrics: [{ uid: PROXY.uid, message: Buffer.from(text) }] });
  old.says({ ...inForce('late'), ...metric('late') });
  old.says(state(false, 1));
  old.says({ forgotten: [PROXY.uid] });
  present.says(metric('new'));
  expect(remote.proxy(PROXY.uid)).toMatchObject({ connected: true, connectedAt: 2 });
  expect(remote.acked(PROXY.uid, CLUSTER_TYPE, 'a')).toBe('2');
  expect(metrics).toEqual(['new']);
  expect([remote.countAt('old'), remote.countAt('present')]).toEqual([0, 1]);
  old.ends();
  expect(remote.proxy(PROXY.uid)?.connected).toBe(true);
  present.ends();
  expect(remote.proxy(PROXY.uid)?.connected).toBe(false);
});

test('one that left a replica and is nowhere else is known as gone from there', () => {
  const { remote, old, present } = begin();
  old.says({ ...state(true, 1), ...inForce('1') });
  old.says(state(false, 1));
  expect(remote.proxy(PROXY.uid)).toMatchObject({ connected: false });
  expect(remote.acked(PROXY.uid, CLUSTER_TYPE, 'a')).toBe('1');
  present.says({ ...state(true, 2), whole: true });
  expect(remote.acked(PROXY.uid, CLUSTER_TYPE, 'a')).toBeUndefined();
  expect([remote.hears('old'), remote.hears('present')]).toEqual([false, true]);
});

test('who comes and goes elsewhere is counted, and not what they acknowledge', () => {
  jest.useFakeTimers();
  const { remote, old } = begin();
  const moves = [
    () => old.says(state(true, 1)),
    () => old.says(inForce('1')),
    () => old.says(state(false, 1)),
    () => old.ends(),
    () => jest.advanceTimersByTime(GRACE_MS),
  ].map((move) => {
    const before = remote.moves;
    move();
    return remote.moves - before;
  });
  expect(moves).toEqual([1, 0, 1, 1, 1]);
});

test('of a replica that went what it told is forgotten after a while, but not what others have', () => {
  jest.useFakeTimers();
  const { remote, old, present } = begin();
  old.says(state(true, 1));
  old.says({ states: [{ ...PROXY, uid: 'left', connected: true, connectedAt: 1 }] });
  present.says(state(true, 2));
  old.ends();
  jest.advanceTimersByTime(GRACE_MS - 1);
  expect(remote.proxy('left')).toMatchObject({ connected: false });
  jest.advanceTimersByTime(1);
  expect([...remote.proxies()].map(({ identity }) => identity.uid)).toEqual([PROXY.uid]);
});
