import { describe, expect, test } from '@jest/globals';
import { fullness, type LimitedPod } from './fullness.ts';
import type { PodUsage } from './pod-usage.ts';

const MIB = 2 ** 20;
const uses = (containers: Record<string, [number, number]>): PodUsage => {
  const read = Object.entries(containers).map(
    ([name, [cpuCores, mib]]) => [name, { cpuCores, memoryBytes: mib * MIB }] as const,
  );
  const sum = (pick: (one: { cpuCores: number; memoryBytes: number }) => number) =>
    read.reduce((all, [, one]) => all + pick(one), 0);
  const whole = { cpuCores: sum((one) => one.cpuCores), memoryBytes: sum((one) => one.memoryBytes) };
  return { at: 0, windowMs: 15_000, ...whole, containers: new Map(read) };
};
const limited = (name: string, cpu: string, memory: string) => ({ name, resources: { limits: { cpu, memory } } });
const usage = uses({ app: [0.2, 60], logs: [0.09, 10], 'istio-proxy': [0.05, 30] });

describe('a pod is as full as the fullest of its containers', () => {
  test('of CPU and of memory, each by its own limit', () => {
    const pod = { spec: { containers: [limited('app', '1', '100Mi'), limited('logs', '100m', '100Mi')] } };
    expect(fullness(pod, usage, 'cpu').share).toBeCloseTo(0.9);
    expect(fullness(pod, usage, 'memory').share).toBeCloseTo(0.6);
  });

  test('against the request where there is no limit', () => {
    const requested = { name: 'app', resources: { requests: { cpu: '100m' } } };
    expect(fullness({ spec: { containers: [requested] } }, usage, 'cpu').share).toBeCloseTo(2);
  });

  test('the sidecar counts where it has a limit, and its request is none', () => {
    const sidecar = (resources: object) => ({ name: 'istio-proxy', restartPolicy: 'Always', resources });
    const pod = (resources: object): LimitedPod => ({
      spec: { containers: [limited('app', '1', '1Gi')], initContainers: [sidecar(resources), { name: 'init' }] },
    });
    expect(fullness(pod({ limits: { cpu: '100m' } }), usage, 'cpu').share).toBeCloseTo(0.5);
    expect(fullness(pod({ requests: { cpu: '10m' } }), usage, 'cpu').share).toBeCloseTo(0.2);
  });

  test('a limit of the whole pod counts beside them, and in place of those that are not there', () => {
    const containers = [{ name: 'app' }, { name: 'logs' }];
    const pod = { spec: { resources: { limits: { cpu: '400m' } }, containers } };
    expect(fullness(pod, usage, 'cpu').share).toBeCloseTo(0.85);
  });

  test('what has neither limit nor request is named by its field', () => {
    const pod = { spec: { containers: [limited('app', '1', '1Gi'), { name: 'logs' }] } };
    expect(fullness(pod, usage, 'memory')).toEqual({ unlimited: 'spec.containers[logs].resources.limits.memory' });
    const lasting = { spec: { initContainers: [{ name: 'logs', restartPolicy: 'Always' }] } };
    expect(fullness(lasting, usage, 'cpu')).toEqual({ unlimited: 'spec.initContainers[logs].resources.limits.cpu' });
  });

  test.each(['0', '', 'much', '-1'])('a limit of "%s" is none', (cpu) => {
    const pod = { spec: { containers: [limited('app', cpu, '1Gi')] } };
    expect(fullness(pod, usage, 'cpu')).toEqual({ unlimited: 'spec.containers[app].resources.limits.cpu' });
  });

  test('nothing is said where a container was not measured, or there is none', () => {
    expect(fullness({ spec: { containers: [limited('other', '1', '1Gi')] } }, usage, 'cpu')).toEqual({});
    expect(fullness({}, usage, 'cpu')).toEqual({});
  });
});
