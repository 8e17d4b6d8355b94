import { describe, expect, test } from '@jest/globals';
import type { UsageMetric } from '../../../api/canary-metric.ts';
import type { RecordedMetric, RoundInputs } from '../../../api/canary-round.ts';
import type { RevisionUsage, UsageAnswer } from '../../../api/canary-usage.ts';
import { judgeRound } from './judge-round.ts';
import { judgeUsage } from './judge-usage.ts';

const MIB = 2 ** 20;
const cpu: RecordedMetric = { name: 'cpu-usage', intervalMs: 30_000, max: 80 };
const noMore: RecordedMetric = { name: 'cpu-usage', intervalMs: 30_000, maxIncrease: 50 };
const memory: RecordedMetric = { name: 'memory-usage', intervalMs: 30_000, maxIncrease: 50 };

const used = (mean: number, share = mean * 100, pods = 2): RevisionUsage => ({ pods, measured: pods, mean, share });
const side = (requests: number) => ({ requests, failures: 0 });
const counts = (requests: number) => ({ callers: side(requests), served: side(requests) });

function inputsOf(usage: Partial<UsageAnswer> | undefined, more: Partial<RoundInputs> = {}): RoundInputs {
  const both = { next: used(0.5), stable: used(0.5, 50, 4) };
  return {
    elapsedMs: 61_000,
    weight: 33,
    window: 1,
    confidence: 99,
    minRequests: 10,
    metrics: [],
    complete: true,
    reports: true,
    // As many a pod.
    next: counts(1000),
    stable: counts(2000),
    ...(usage === undefined
      ? {}
      : { usage: ['cpu-usage', 'memory-usage'].map((metric) => ({ metric, ...both, ...usage })) }),
    ...more,
  };
}

function judge(
  metric: RecordedMetric,
  usage: Partial<UsageAnswer> | undefined,
  more: Partial<RoundInputs> = {},
): string {
  const { verdict, message } = judgeUsage(metric.name as UsageMetric, metric, inputsOf(usage, more));
  return message === undefined ? verdict : `${verdict}: ${message}`;
}

const short: RevisionUsage = { pods: 3, measured: 1, missing: ['a', 'b'], mean: 0.9, share: 90 };

describe('held against the limit, what pods use', () => {
  test.each<[string, Partial<UsageAnswer> | undefined, Partial<RoundInputs>, string]>([
    ['passes below it', { next: used(0.5) }, {}, 'Passed'],
    ['passes at it', { next: used(0.8) }, {}, 'Passed'],
    ['fails above it', { next: used(0.9537) }, {}, 'Failed: cpu-usage 95.37 % of the limit is above 80 %'],
    ['is waited for before anything was answered', undefined, {}, 'Pending: cpu-usage: what pods use is asked for'],
    [
      'is waited for a minute where pods have no two samples',
      { next: short },
      { elapsedMs: 59_000 },
      'Pending: cpu-usage: 1 of 3 pods of the new revision have two samples in the window, not a, b',
    ],
    [
      'is no evidence after that, good or bad',
      { next: short },
      {},
      'InsufficientEvidence: cpu-usage: 1 of 3 pods of the new revision have two samples in the window, not a, b',
    ],
    [
      'is no evidence without a pod',
      { next: { pods: 0, measured: 0 } },
      {},
      'InsufficientEvidence: cpu-usage: no pod of the new revision has served for long enough',
    ],
    [
      'can not be had where the metrics API is not there',
      { next: short, reason: 'NoMetricsApi', error: 'install metrics-server' },
      { elapsedMs: 5000 },
      'MetricUnavailable: cpu-usage: install metrics-server',
    ],
    ['is judged by what there is while one question had no answer', { error: 'no answer in time' }, {}, 'Passed'],
    ['does not depend on the stable revision', { stable: short }, {}, 'Passed'],
    [
      'can not be had without a limit, and names its field',
      { next: { pods: 2, measured: 2, mean: 3, unlimited: 'spec.containers[app].resources.limits.cpu' } },
      {},
      'MetricUnavailable: cpu-usage: there is no limit to hold it against; set spec.containers[app].resources.limits.cpu',
    ],
  ])('%s', (_, usage, more, expected) => {
    expect(judge(cpu, usage, more)).toBe(expected);
  });
});

describe('compared with the stable revision, the CPU', () => {
  test.each<[string, number, number, Partial<RoundInputs>, string]>([
    ['passes within the tolerance', 0.74, 0.5, {}, 'Passed'],
    [
      'fails beyond it',
      0.76,
      0.5,
      {},
      'Failed: cpu-usage 0.76 cores a pod is more than 50 % above the 0.5 cores of the stable revision',
    ],
    ['passes where the difference is too small to be one', 0.012, 0.003, {}, 'Passed'],
    [
      'passes with three times the requests and three times the CPU or less',
      0.5,
      0.5,
      { next: counts(3000) },
      'Passed',
    ],
    [
      'can not tell three times the CPU for three times the requests from a rest that costs more',
      1.5,
      0.5,
      { next: counts(3000) },
      'NotComparable: cpu-usage: 1.5 cores a pod; a stable one would use between 0.5 cores and 1.5 cores for as many requests, so no difference can be told',
    ],
    [
      'fails with more than that',
      2.4,
      0.5,
      { next: counts(3000) },
      'Failed: cpu-usage 2.4 cores a pod is more than 50 % above the 0.5 cores of the stable revision under 3 times the requests',
    ],
    [
      'is not taken for more where a pod has few requests and most of it is what a pod takes at rest',
      0.4,
      0.5,
      { next: counts(100) },
      'NotComparable: cpu-usage: 0.4 cores a pod; a stable one would use between 0.05 cores and 0.5 cores for as many requests, so no difference can be told',
    ],
    [
      'fails even so above what a stable pod uses under ten times the requests',
      0.8,
      0.5,
      { next: counts(100) },
      'Failed: cpu-usage 0.8 cores a pod is more than 50 % above the 0.5 cores of the stable revision',
    ],
    ['is compared per pod where there are no requests', 0.74, 0.5, { next: counts(0), stable: counts(0) }, 'Passed'],
    [
      'is not compared with a revision that gets none',
      2,
      0.5,
      { weight: 100, stable: counts(0) },
      'NotComparable: cpu-usage: one of both revisions gets no requests at 100 %',
    ],
  ])('%s', (_, next, stable, more, expected) => {
    expect(judge(noMore, { next: used(next), stable: used(stable, 50, 4) }, more)).toBe(expected);
  });

  test('waits for the samples of the stable revision, and does without when it has no pod', () => {
    expect(judge(noMore, { stable: short })).toMatch(
      /^InsufficientEvidence: .* of the stable revision have two samples/,
    );
    expect(judge(noMore, { stable: { pods: 0, measured: 0 } })).toMatch(/^NotComparable: .*no pod of the stable/);
  });

  test('is held against the limit as well, where both are asked for', () => {
    expect(judge({ ...noMore, max: 80 }, { next: used(0.5, 95), stable: used(0.5) })).toMatch(/95 % of the limit/);
    expect(judge({ ...noMore, max: 99 }, { next: used(0.9), stable: used(0.5) })).toMatch(/more than 50 % above/);
  });
});

describe('compared with the stable revision, the memory', () => {
  test('is so per pod, however many requests it serves', () => {
    const next = used(80 * MIB);
    expect(judge(memory, { next, stable: used(60 * MIB) }, { next: counts(30_000) })).toBe('Passed');
    expect(judge(memory, { next, stable: used(50 * MIB) }, { next: counts(30_000) })).toBe(
      'Failed: memory-usage 80 MiB a pod is more than 50 % above the 50 MiB of the stable revision',
    );
    expect(judge(memory, { next: used(9 * MIB), stable: used(2 * MIB) })).toBe('Passed');
  });
});

describe('a round', () => {
  const round = (usage: Partial<UsageAnswer> | undefined, more: Partial<RoundInputs> = {}) =>
    judgeRound(inputsOf(usage, { metrics: [cpu], ...more }));

  test('fails by what pods use though every request succeeds, and needs no odds for it', () => {
    const judgement = round({ next: used(0.9) });
    expect(judgement).toMatchObject({ verdict: 'Failed', evidence: [] });
    expect(judgement.metrics).toEqual([
      { name: 'cpu-usage', verdict: 'Failed', value: 90, message: 'cpu-usage 90 % of the limit is above 80 %' },
    ]);
    expect(judgement.final).toBeUndefined();
  });

  test('judges it where no requests come: a worker has pods', () => {
    expect(round({ next: used(0.9) }, { quiet: true, next: counts(0) }).verdict).toBe('Failed');
  });

  test('waits for its interval first', () => {
    expect(round({ next: used(0.9) }, { elapsedMs: 29_000 }).verdict).toBe('Pending');
  });

  test('passes where it can not be compared', () => {
    const stable = used(0.5, 50, 4);
    expect(round({ next: used(0.4), stable }, { metrics: [noMore], next: counts(100) }).verdict).toBe('Passed');
  });
});
