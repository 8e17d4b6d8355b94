import { expect, test } from '@jest/globals';
import { UsageHistory } from './usage-history.ts';

const START = 1_700_000_040_000;

test('points are means of what was told, and null where nothing was', () => {
  const history = new UsageHistory();
  history.record('shop/ui', { cpuCores: 1, memoryBytes: 100 }, START);
  history.record('shop/ui', { cpuCores: 2, memoryBytes: 300 }, START + 5000);
  history.record('shop/ui', { cpuCores: 0, memoryBytes: 50 }, START + 20_000);
  history.record('shop/cart', { cpuCores: 9, memoryBytes: 9 }, START + 30_000);
  const points = history.points(['shop/ui', 'shop/none'], START + 30_000, 10, 3);
  expect([...points]).toEqual([['shop/ui', { cpuCores: [1.5, null, 0], memoryBytes: [200, null, 50] }]]);
});

test('what is older than an hour is forgotten', () => {
  const history = new UsageHistory();
  history.record('shop/ui', { cpuCores: 1, memoryBytes: 1 }, START);
  history.record('shop/cart', { cpuCores: 1, memoryBytes: 1 }, START + 3_700_000);
  expect(history.points(['shop/ui'], START + 3_600_000, 3600, 1).size).toBe(0);
});

test('a young hour is read at whole minutes without a loss', () => {
  const history = new UsageHistory();
  for (let at = 0; at < 1_800_000; at += 10_000) history.record('shop/ui', { cpuCores: 3, memoryBytes: 7 }, START + at);
  history.record('shop/cart', { cpuCores: 1, memoryBytes: 1 }, START + 1_800_000);
  const { cpuCores, memoryBytes } = history.points(['shop/ui'], START + 1_800_000, 60, 30).get('shop/ui') ?? {};
  expect(cpuCores).toEqual(new Array(30).fill(3));
  expect(memoryBytes).toEqual(new Array(30).fill(7));
});
