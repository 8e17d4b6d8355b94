import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { buildSnapshot } from '../mesh/mesh-builder.ts';
import { pod, SETTINGS } from '../mesh/testing/objects.ts';
import { MeshCache } from '../xds/testing/mesh-cache.ts';
import { registerOperatorMetrics } from './operator-metrics.ts';
import { keepRecords } from './traffic-records.ts';

test('the operator tells of itself what waits, what was encoded and how late its event loop is', async () => {
  const registry = new Registry();
  const records = keepRecords(() => buildSnapshot(SETTINGS, [{ kind: 'Pod', object: pod('ui', { uid: 'ui' }) }]));
  let waiting = 3;
  registerOperatorMetrics(registry, { queues: () => ({ mesh: { waiting } }), records, streams: () => 2 });
  const read = async (name: string) => {
    const text = await registry.metrics();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  expect(await read('heddle_queue_depth\\{queue="mesh"\\}')).toBe(3);
  waiting = 0;
  expect(await read('heddle_queue_depth\\{queue="mesh"\\}')).toBe(0);
  expect(await read('heddle_dashboard_streams')).toBe(2);
  const before = await read('heddle_xds_encoded_resources_total');
  new MeshCache(SETTINGS).put({ kind: 'Pod', object: pod('ui') });
  expect(await read('heddle_xds_encoded_resources_total')).toBeGreaterThan(before);
  expect(await read('heddle_xds_encoded_bytes_total')).toBeGreaterThan(0);
  records.history.reported('ui', Date.now());
  expect(await read('heddle_history_edges')).toBe(1);
  expect(await read('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
});
