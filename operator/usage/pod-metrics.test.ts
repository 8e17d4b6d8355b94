import { describe, expect, test } from '@jest/globals';
import { readPodMetrics } from './pod-metrics.ts';

const app = { name: 'app', usage: { cpu: '250m', memory: '64Mi' } };
const sidecar = { name: 'istio-proxy', usage: { cpu: '12345678n', memory: '30000Ki' } };
const metrics = (more: object = {}) =>
  ({ timestamp: '2026-01-01T00:00:15Z', window: '14.5s', containers: [app, sidecar], ...more }) as never;

describe('a sample of a pod', () => {
  test('adds up its containers, the sidecar among them', () => {
    const usage = readPodMetrics(metrics());
    expect(usage).toMatchObject({ at: Date.UTC(2026, 0, 1, 0, 0, 15), windowMs: 14_500 });
    expect(usage?.cpuCores).toBeCloseTo(0.262345678, 9);
    expect(usage?.memoryBytes).toBe(64 * 2 ** 20 + 30_000 * 1024);
    expect(usage?.containers.get('app')).toEqual({ cpuCores: 0.25, memoryBytes: 64 * 2 ** 20 });
  });

  test.each([
    ['15s', 15_000],
    ['1m2.5s', 62_500],
    ['1m0s', 60_000],
    ['800ms', 800],
    ['1h0m0s', 3_600_000],
  ])('may be of %s', (window, ms) => {
    expect(readPodMetrics(metrics({ window }))?.windowMs).toBe(ms);
  });

  test.each<[string, object]>([
    ['no time', { timestamp: undefined }],
    ['a time that is none', { timestamp: 'yesterday' }],
    ['no window', { window: undefined }],
    ['an empty window', { window: '0s' }],
    ['a window that is none', { window: '15' }],
    ['no containers', { containers: [] }],
    ['containers that are no list', { containers: 'app' }],
    ['a container that is nothing', { containers: [app, null] }],
    ['a container without a name', { containers: [{ usage: app.usage }] }],
    ['a container without usage', { containers: [app, { name: 'logs' }] }],
    ['CPU that is no number', { containers: [{ name: 'app', usage: { cpu: 'NaN', memory: '1Ki' } }] }],
    ['memory below zero', { containers: [{ name: 'app', usage: { cpu: '1', memory: '-1Ki' } }] }],
    ['endless containers', { containers: Array.from({ length: 101 }, (_, i) => ({ ...app, name: `c${i}` })) }],
  ])('is none with %s', (_, more) => {
    expect(readPodMetrics(metrics(more))).toBeUndefined();
  });
});
