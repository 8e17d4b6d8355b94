import { expect, test } from '@jest/globals';
import type { PodUsage } from './pod-usage.ts';
import { saturationOf } from './saturation.ts';

const MIB = 2 ** 20;
const pod = (name: string, limits?: Record<string, string>) => ({
  metadata: { name, namespace: 'shop' },
  spec: { containers: [{ name: 'app', ...(limits ? { resources: { limits } } : {}) }] },
});
const used = (cpuCores: number, mib: number): PodUsage => {
  const own = { cpuCores, memoryBytes: mib * MIB };
  return { at: 0, windowMs: 15_000, ...own, containers: new Map([['app', own]]) };
};
const telling = (known: Record<string, PodUsage>) => (namespace: string, name: string) =>
  namespace === 'shop' ? known[name] : undefined;
const limits = { cpu: '1', memory: '100Mi' };

test('a workload uses what its pods use, and is as full as the fullest of them', () => {
  const all = telling({ a: used(0.25, 50), b: used(0.5, 20) });
  expect(saturationOf([pod('a', limits), pod('b', limits)], all)).toEqual({
    cpuCores: 0.75,
    cpuShare: 0.5,
    memoryBytes: 70 * MIB,
    memoryShare: 0.5,
  });
});

test('what is not known of every pod is no sum, and what has no limit no share', () => {
  expect(saturationOf([pod('a', limits), pod('b', limits)], telling({ a: used(0.25, 50) }))).toEqual({
    cpuShare: 0.25,
    memoryShare: 0.5,
  });
  expect(saturationOf([pod('a')], telling({ a: used(0.25, 50) }))).toEqual({ cpuCores: 0.25, memoryBytes: 50 * MIB });
});

test('nothing is known of a workload of whose pods nothing is told, or which has none', () => {
  expect(saturationOf([pod('a', limits)], telling({}))).toBeUndefined();
  expect(saturationOf([], telling({}))).toBeUndefined();
});
