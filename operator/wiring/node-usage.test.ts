import { expect, test } from '@jest/globals';
import { buildSnapshot } from '../mesh/mesh-builder.ts';
import { pod, SETTINGS } from '../mesh/testing/objects.ts';
import type { NamespaceUsage, PodUsage } from '../usage/pod-usage.ts';
import { keepUsage, withUsage } from './node-usage.ts';
import { keepRecords } from './traffic-records.ts';

const NOW = 1_700_000_040_000;
const PODS = ['ui-1', 'ui-2'].map((name) => pod(name, { uid: name, labels: { app: 'ui' } }));

const used = (cpuCores: number, at = NOW): PodUsage => ({
  ...{ at, windowMs: 15_000, cpuCores, memoryBytes: 100 * cpuCores, containers: new Map() },
});

test('series of nodes have what was told of all their pods, and null where that was not', () => {
  const snapshot = buildSnapshot(
    SETTINGS,
    PODS.map((object) => ({ kind: 'Pod', object })),
  );
  const records = keepRecords(() => snapshot);
  let now = NOW;
  let tell: (namespace: string, pods: NamespaceUsage['pods']) => void = () => undefined;
  const poller = {
    onAnswer: (listener: typeof tell) => {
      tell = listener;
    },
  };
  keepUsage(
    records,
    poller,
    () => PODS,
    () => now,
  );
  const told = (first: PodUsage, second?: PodUsage) => {
    tell('shop', new Map([['ui-1', first], ...(second ? ([['ui-2', second]] as const) : [])]));
    now += 5000;
  };
  told(used(1), used(2));
  // Of one pod nothing is known, or what is known is of long ago.
  told(used(1));
  told(used(1), used(2, NOW - 100_000));
  told(used(2), used(3));
  tell('other', new Map([['ui-1', used(7)]]));
  const nothing = [null, null, null, null];
  const golden = { perSecond: nothing, failuresPerSecond: nothing, p50Ms: nothing, p99Ms: nothing };
  const view = {
    ...{ at: now, step: 5, source: 'operator' as const, complete: true, missing: [] },
    series: [
      { id: 'shop/ui', ...golden },
      { id: 'shop/cart', ...golden },
    ],
  };
  const selection = { of: 'node' as const, id: '*', seconds: 20, points: 4 };
  expect(withUsage(records, selection, view).series).toEqual([
    { id: 'shop/ui', ...golden, cpuCores: [3, null, null, 5], memoryBytes: [300, null, null, 500] },
    { id: 'shop/cart', ...golden },
  ]);
  expect(withUsage(records, { ...selection, of: 'edge' }, view)).toBe(view);
});
