import { describe, expect, test } from '@jest/globals';
import type { ProxyReport } from '../ads/ack-report.ts';
import { buildSnapshot } from '../mesh/mesh-builder.ts';
import { pod, SETTINGS } from '../mesh/testing/objects.ts';
import { encodeView } from '../replicas/replica-view.ts';
import { CLUSTER_TYPE } from '../xds/resource.ts';
import { ProxySurvey, type ProxySurveyPorts } from './proxy-survey.ts';

const NOW = 1_700_000_000_000;
const snapshot = buildSnapshot(
  SETTINGS,
  ['ui', 'ordering', 'gone'].map((name) => ({
    kind: 'Pod' as const,
    object: pod(name, { uid: name, labels: { app: name } }),
  })),
);

function report(uid: string, more: Partial<ProxyReport> = {}): ProxyReport {
  return {
    identity: { uid, podName: uid, namespace: 'shop', serviceAccount: 'default' },
    connected: true,
    connectedAt: NOW - 1000,
    acknowledged: () => undefined,
    versions: () => [],
    rejections: () => [],
    sync: () => [{ typeUrl: CLUSTER_TYPE, held: 3, stale: 0, waitedMs: 0 }],
    ...more,
  };
}

/** A replica with these proxies. @param others what the others answer */
function replica(
  self: string,
  proxies: readonly ProxyReport[],
  others: () => Promise<readonly { name: string; answer: Uint8Array | undefined }[]> = async () => [],
  more: Partial<ProxySurveyPorts> = {},
): ProxySurvey {
  return new ProxySurvey({
    snapshot: () => snapshot,
    local: { proxy: (uid) => proxies.find(({ identity }) => identity.uid === uid), proxies: () => proxies },
    lastReport: (uid) => (uid === 'ui' ? NOW - 3000 : undefined),
    certificateExpiresAt: () => NOW + 1000,
    self,
    isLeader: () => self === 'one',
    problems: () => [],
    askOthers: others,
    now: () => NOW,
    ...more,
  });
}

describe('a survey of the proxies', () => {
  test.each([
    [10_000, 'syncing'],
    [10_001, 'stale'],
  ])('says of one that waits for %s ms that it is %s', async (waitedMs, state) => {
    const behind = report('ui', { sync: () => [{ typeUrl: CLUSTER_TYPE, held: 3, stale: 1, waitedMs }] });
    const { proxies } = await replica('one', [behind]).survey();
    expect(proxies.find(({ uid }) => uid === 'ui')?.state).toBe(state);
  });

  test('says of each how far it is', async () => {
    const stale = report('ordering', { sync: () => [{ typeUrl: CLUSTER_TYPE, held: 3, stale: 1, waitedMs: 10_001 }] });
    const { proxies, complete } = await replica('one', [report('ui'), stale]).survey();
    expect(complete).toBe(true);
    expect(proxies.map(({ pod: name, state }) => [name, state]).sort()).toEqual([
      ['gone', 'disconnected'],
      ['ordering', 'stale'],
      ['ui', 'synced'],
    ]);
    expect(proxies.find(({ uid }) => uid === 'ui')).toEqual({
      namespace: 'shop',
      pod: 'ui',
      uid: 'ui',
      workload: 'ui',
      node: 'node-1',
      state: 'synced',
      replica: 'one',
      connectedSince: NOW - 1000,
      lastReport: NOW - 3000,
      types: { clusters: { held: 3, stale: 0 } },
      rejections: [],
      identity: 'spiffe://cluster.local/ns/shop/sa/default',
      certificateNotAfter: new Date(NOW + 1000).toISOString(),
      onDemand: false,
    });
  });

  test('names what was refused, in no more words than are read', async () => {
    const rejections = Array.from({ length: 30 }, (_, index) => {
      return { typeUrl: CLUSTER_TYPE, name: `c${index}`, version: '1', message: '<b>'.repeat(1000) };
    });
    const { proxies } = await replica('one', [report('ui', { rejections: () => rejections })]).survey();
    const view = proxies.find(({ uid }) => uid === 'ui');
    expect([view?.state, view?.rejections.length, view?.rejections[0]?.message.length]).toEqual(['rejected', 20, 1000]);
    expect(view?.rejections[0]).toMatchObject({ type: 'clusters', name: 'c0' });
  });

  test('is the same whichever replica is asked', async () => {
    const one: ProxySurvey = replica('one', [report('ui')], async () => [{ name: 'two', answer: await two.answer() }]);
    const two: ProxySurvey = replica('two', [report('ordering')], async () => [
      { name: 'one', answer: await one.answer() },
    ]);
    const [first, second] = await Promise.all([one.survey(), two.survey()]);
    expect(second.proxies).toEqual(first.proxies);
    const sorted = (replicas: typeof first.replicas) => [...replicas].sort((a, b) => a.name.localeCompare(b.name));
    expect(sorted(second.replicas)).toEqual(sorted(first.replicas));
    expect(sorted(first.replicas)).toEqual([
      { name: 'one', heard: true, leader: true, streams: 1, problems: [] },
      { name: 'two', heard: true, leader: false, streams: 1, problems: [] },
    ]);
  });

  test.each([
    ['does not answer', undefined],
    ['answers garbage', Buffer.from('garbage')],
    ['answers something else', encodeView({ hello: 'there' })],
    ['answers without end', encodeView({ proxies: 'x'.repeat(65 << 20) })],
  ])('where a replica %s, what it may know is unknown', async (_, given) => {
    const answer = await given;
    const { proxies, complete, replicas } = await replica('one', [report('ui')], async () => [
      { name: 'two', answer },
    ]).survey();
    expect(complete).toBe(false);
    expect(replicas[1]).toEqual({ name: 'two', leader: false, heard: false });
    expect(proxies.map(({ pod: name, state }) => [name, state]).sort()).toEqual([
      ['gone', 'unknown'],
      ['ordering', 'unknown'],
      ['ui', 'synced'],
    ]);
  });

  test('is made once for questions of the same moment', async () => {
    let asked = 0;
    let now = NOW;
    const survey = replica(
      'one',
      [],
      async () => {
        asked++;
        return [];
      },
      { now: () => now },
    );
    await Promise.all([survey.survey(), survey.survey()]);
    expect(asked).toBe(1);
    now += 1000;
    await survey.survey();
    expect(asked).toBe(2);
  });
});
