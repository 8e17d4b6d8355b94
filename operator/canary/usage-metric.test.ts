import { describe, expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { RevisionUsage, UsageAnswer } from '../../api/canary-usage.ts';
import { replay } from './judge/replay.ts';
import { Life } from './life.fixture.ts';
import { traffic } from './observation.fixture.ts';
import type { Observation } from './observation.ts';

const metrics = [{ name: 'cpu-usage', thresholdRange: { max: 80 } }];
const measured = (share: number): RevisionUsage => ({ pods: 2, measured: 2, mean: share / 100, share });
const none: RevisionUsage = { pods: 2, measured: 0, missing: ['a', 'b'] };
const using = (next: RevisionUsage, more: Partial<UsageAnswer> = {}): Partial<Observation> => ({
  usage: (metric) => ({ metric, next, stable: measured(50), ...more }),
});
const absent = using(none, { reason: 'NoMetricsApi', error: 'install metrics-server' });

const said = ({ conditions }: CanaryStatus, type: string): string => {
  const found = conditions?.find((one) => one.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
};
const life = (analysis: object = {}): Life => new Life({ metrics, threshold: 1, ...analysis });

describe('a revision whose pods use too much', () => {
  test('is given up for it though it answers all requests well, and the metric is named', () => {
    const { status } = life()
      .at(0)
      .at(10, using(measured(95)));
    expect(status.phase).toBe('Failed');
    expect(said(status, 'Failed')).toMatch(/^True ThresholdReached: .*cpu-usage 95 % of the limit is above 80 %/);
  });

  test('is promoted otherwise, and told to be measured', () => {
    const { status } = life()
      .at(0)
      .at(10, using(measured(60)));
    expect(status).toMatchObject({ phase: 'Progressing', step: 1, failedChecks: 0 });
    expect(said(status, 'MetricsAvailable')).toMatch(/^True Answered/);
  });
});

describe('a revision whose pods are not measured', () => {
  test('goes on being tried for a minute, then waits for evidence, and is neither failed nor promoted', () => {
    const tried = life().at(0).at(10).at(30, using(none));
    expect(tried.status).toMatchObject({ phase: 'Progressing', step: 0 });
    expect(said(tried.status, 'Progressing')).toContain('0 of 2 pods of the new revision have two samples');
    tried.at(70, using(none));
    expect(tried.status).toMatchObject({ phase: 'Waiting', verdict: 'InsufficientEvidence', step: 0, failedChecks: 0 });
    expect(said(tried.status, 'Waiting')).toContain('not a, b');
    expect(tried.at(80, using(measured(60))).status.step).toBe(1);
  });

  test('waits where the cluster does not tell, and says why in condition and round', () => {
    const { status, reasons } = life().at(0).at(10, absent).at(15, absent);
    expect(status).toMatchObject({ phase: 'Waiting', verdict: 'MetricUnavailable', step: 0, failedChecks: 0 });
    expect(said(status, 'MetricsAvailable')).toBe('False NoMetricsApi: cpu-usage: install metrics-server');
    expect(reasons.filter((reason) => reason === 'NoMetricsApi')).toHaveLength(1);
    expect(status.rounds?.[0]?.inputs.usage?.[0]).toMatchObject({ reason: 'NoMetricsApi', next: none });
  });

  test('waits where there is no limit, and names the field', () => {
    const field = 'spec.containers[app].resources.limits.cpu';
    const { status } = life()
      .at(0)
      .at(10, using({ pods: 2, measured: 2, mean: 1, unlimited: field }));
    expect(said(status, 'MetricsAvailable')).toMatch(/^False NoLimit: .*set spec\.containers\[app\]\.resources/);
    expect(status).toMatchObject({ phase: 'Waiting', failedChecks: 0 });
  });

  test('is given up at the deadline, and not before', () => {
    const waiting = life().at(0).at(10, absent).at(590, absent);
    expect(waiting.status.phase).toBe('Waiting');
    waiting.at(700, absent);
    expect(said(waiting.status, 'Failed')).toMatch(/^True ProgressDeadlineExceeded: .*install metrics-server/);
  });

  test('is not told to be measured while too few requests come for any check', () => {
    const { status } = life()
      .at(0)
      .at(10, { ...using(measured(95)), traffic: () => traffic(3) });
    expect(status.verdict).toBe('InsufficientTraffic');
    expect(status.conditions?.some(({ type }) => type === 'MetricsAvailable')).toBe(false);
  });
});

test('what was judged is written down so that the same comes of it again', () => {
  const { status } = life({ threshold: 5 })
    .at(0)
    .at(10, using(measured(95)))
    .at(20, using(none))
    .at(90, absent)
    .at(100, using(measured(60)));
  const rounds = status.rounds ?? [];
  expect(rounds.length).toBeGreaterThan(1);
  expect(replay(rounds).map(({ same }) => same)).toEqual(rounds.map(() => true));
  expect(rounds.at(-1)?.verdict).toBe('Failed');
});
