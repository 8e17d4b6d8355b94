import { expect, test } from '@jest/globals';
import { buildSnapshot } from '../mesh/mesh-builder.ts';
import { destinationRule, pod, SETTINGS, service } from '../mesh/testing/objects.ts';
import type { OpenSample } from '../telemetry/open-series.ts';
import { encodeLabels } from '../telemetry/testing/encoded-labels.ts';
import { inboundWork, poolReadings } from './open-work.ts';
import { keepRecords } from './traffic-records.ts';

const HOST = 'ordering.shop.svc.cluster.local';
const NOW = 1_700_000_040_000;
const SNAPSHOT = buildSnapshot(SETTINGS, [
  ...['ui-1', 'ui-2'].map((uid) => ({ kind: 'Pod', object: pod(uid, { uid, labels: { app: 'ui' } }) }) as const),
  { kind: 'Service', object: service('ordering', { app: 'ordering' }) },
  {
    kind: 'DestinationRule',
    object: destinationRule('shop/ordering', {
      host: HOST,
      trafficPolicy: { connectionPool: { tcp: { maxConnections: 4 } } },
    }),
  },
]);

/** Records of a mesh in which `ui-1` and `ui-2` reported so many ms ago. */
function recordsOf(silentMs: Readonly<Record<string, number>>) {
  const records = keepRecords(() => SNAPSHOT);
  const ledger = {
    lastReport: (uid: string) => (silentMs[uid] === undefined ? undefined : NOW - silentMs[uid]),
  };
  const gauge = (thing: OpenSample['thing'], labels: Readonly<Record<string, string>>, value: number): OpenSample => ({
    ...{ thing, key: encodeLabels(labels), value, at: 1000 },
  });
  for (const [index, uid] of Object.keys(silentMs).entries()) {
    records.open.take(uid, [
      gauge('inbound connections', { 'envoy.listener_address': '0.0.0.0_15006' }, index + 1),
      gauge('active', { cluster_name: `outbound|80||${HOST}` }, index + 1),
      gauge('active', { cluster_name: 'outbound|80||gone.shop.svc.cluster.local' }, 1),
    ]);
  }
  return { ...records, ledger };
}

test('what pods have open is told in sum, and not at all where one of them is silent', () => {
  const records = recordsOf({ 'ui-1': 5000, 'ui-2': 4000 });
  expect(inboundWork(records, ['ui-1', 'ui-2'], NOW)).toEqual({ connections: 3, active: 0 });
  expect(inboundWork(records, [], NOW)).toEqual({});
  const silent = recordsOf({ 'ui-1': 5000, 'ui-2': 16_000 });
  expect(inboundWork(silent, ['ui-1', 'ui-2'], NOW)).toEqual({});
  expect(inboundWork(silent, ['ui-1'], NOW)).toEqual({ connections: 1, active: 0 });
});

test('pools are those of pods that report, with their limits, towards what is there', () => {
  const reading = (active: number) => ({
    ...{ source: 'shop/ui', transports: ['http'], limits: { connections: 4 } },
    ...{ destination: `host:${HOST}`, open: { connections: 0, active, pending: 0 } },
  });
  expect([...poolReadings(recordsOf({ 'ui-1': 5000, 'ui-2': 4000 }), NOW)]).toEqual([reading(1), reading(2)]);
  expect([...poolReadings(recordsOf({ 'ui-1': 5000, 'ui-2': 16_000 }), NOW)]).toEqual([reading(1)]);
});
