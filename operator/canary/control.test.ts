import { describe, expect, test } from '@jest/globals';
import { answering, bad, hook, Life, NO, releasing, YES } from './life.fixture.ts';
import { podsOf, revisionOf, specOf, targetOf, traffic } from './observation.fixture.ts';
import type { Observation } from './observation.ts';

describe('hooks', () => {
  test('confirm-rollout keeps the first request back until it says yes, for as long as it takes', () => {
    const life = new Life({ webhooks: [hook('confirm-rollout')] }).at(0);
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'AwaitingConfirmation', weight: 0 });
    expect(life.asked).toMatchObject([
      { repeat: 'until-passed', everyMs: 10_000, phase: 'Progressing', revision: 'r2' },
    ]);
    life.at(5, answering({ 'confirm-rollout': NO })).at(9000, answering({ 'confirm-rollout': NO }));
    const waiting = life.status.conditions?.find(({ type }) => type === 'Waiting');
    expect(waiting?.message).toBe('confirm-rollout hook confirm-rollout says no (403)');
    expect(life.status).toMatchObject({ weight: 0, failedChecks: 0 });
    life.at(9001, answering({ 'confirm-rollout': YES }));
    expect(life.status).toMatchObject({ phase: 'Progressing', weight: 5 });
    expect(life.status.opened).toBe(true);
  });

  test('pre-rollout keeps it back too, and a no is a failed check, counted once', () => {
    const life = new Life({ webhooks: [hook('pre-rollout')] }).at(0);
    expect(life.status).toMatchObject({ weight: 0, phase: 'Progressing' });
    const rounds = life.asked.map(({ round }) => round);
    life.at(1, answering({ 'pre-rollout': NO }));
    expect(life.status).toMatchObject({ weight: 0, failedChecks: 1 });
    life.at(2);
    expect(life.status).toMatchObject({ weight: 0, failedChecks: 1 });
    expect(life.asked[0]).toMatchObject({ delayMs: 10_000 });
    expect(rounds).not.toContain(life.asked[0]?.round);
    life.at(12, answering({ 'pre-rollout': NO }));
    expect(life.status).toMatchObject({ phase: 'Failed', weight: 0 });
  });

  test('rollout is asked in each window, and a no fails the check whatever the requests say', () => {
    const life = new Life({ webhooks: [hook('rollout')] }).at(0).at(1);
    const first = life.asked[0]?.round;
    life.at(10);
    expect(life.status).toMatchObject({ step: 0, weight: 5, failedChecks: 0 });
    life.at(12, answering({ rollout: YES }));
    expect(life.status).toMatchObject({ step: 1, weight: 50 });
    expect(life.at(13).asked[0]?.round).not.toBe(first);
    life.at(22, answering({ rollout: NO }));
    expect(life.status).toMatchObject({ step: 1, failedChecks: 1 });
    expect(life.last).toContain('rollout hook rollout says no: 403');
  });

  test('confirm-traffic-increase is asked before every rise', () => {
    const rounds = new Set<string>();
    const life = new Life({ stepWeights: [5, 20, 50], webhooks: [hook('confirm-traffic-increase')] });
    for (const second of [0, 1, 11, 12, 22, 23]) {
      life.at(second, { answer: ({ round }) => (rounds.has(round) ? YES : undefined) });
      for (const { round } of life.asked) rounds.add(round);
    }
    expect(rounds.size).toBe(3);
    expect(life.status).toMatchObject({ step: 2, weight: 50 });
  });

  test('confirm-promotion keeps the promotion back while checks go on', () => {
    const life = new Life({ stepWeights: [50], webhooks: [hook('confirm-promotion')] }).at(0).at(10);
    expect(life.status).toMatchObject({ phase: 'Waiting', weight: 50, verdict: 'AwaitingConfirmation' });
    life.at(11, bad).at(21, bad).at(22, bad).at(32, bad);
    expect(life.status).toMatchObject({ phase: 'Failed', weight: 0 });
  });

  test.each<[string, object, Partial<Observation>[]]>([
    ['in the analysis', {}, []],
    ['while it waits', { webhooks: [hook('rollback'), hook('confirm-rollout')] }, []],
    ['in the rollback window', { stepWeights: [50], rollbackWindow: '1m' }, [{}, {}]],
  ])('rollback gives the revision up %s, upon a yes only', (_, analysis, before) => {
    const life = new Life({ webhooks: [hook('rollback')], ...analysis }).at(0);
    for (const [i, more] of before.entries()) life.at(10 + i, more);
    life.at(15, answering({ rollback: NO }));
    expect(life.status.phase).not.toBe('Failed');
    life.at(16, answering({ rollback: YES }));
    expect(life.status).toMatchObject({ phase: 'Failed', weight: 0 });
    const failed = life.status.conditions?.find(({ type }) => type === 'Failed');
    expect(failed?.reason).toBe('RolledBack');
  });

  test.each<[string, Partial<Observation>]>([
    ['Failed', { command: 'abort' }],
    ['Succeeded', {}],
  ])('post-rollout hears that the release is %s, until it has answered', (phase, more) => {
    const life = new Life({ stepWeights: [50], webhooks: [hook('post-rollout')] }).at(0).at(10, more).at(11);
    if (phase === 'Succeeded') life.at(12, {}, releasing({ rolledOut: true }));
    expect(life.status).toMatchObject({ phase, postRollout: { revision: 'r2', phase } });
    expect(life.asked).toMatchObject([{ phase, repeat: 'never' }]);
    const target = releasing({ rolledOut: phase === 'Succeeded' });
    life.at(13, answering({ 'post-rollout': NO }), target);
    expect(life.status.postRollout).toBeUndefined();
    expect(life.reasons).toContain('HookFailed');
    expect(life.at(14, {}, target).asked).toEqual([]);
  });

  test('that are muted say so for alerts', () => {
    const life = new Life({ webhooks: [hook('confirm-rollout', 'gate', { muteAlert: true })] }).at(0);
    expect(life.events.at(-1)).toMatchObject({ reason: 'AwaitingConfirmation', muted: true });
    const webhooks = [hook('post-rollout', 'end', { muteAlert: true })];
    const over = new Life({ stepWeights: [50], webhooks }).at(0).at(10, { command: 'abort' }).at(11);
    over.at(13, answering({ end: NO }));
    expect(over.events.at(-1)).toMatchObject({ reason: 'HookFailed', muted: true });
  });
});

describe('the rollback window', () => {
  const baking = (...analysis: object[]) =>
    new Life(Object.assign({ stepWeights: [50], rollbackWindow: '1m' }, ...analysis)).at(0).at(10).at(11);

  test('gives the revision all requests and keeps the gates shut until its end', () => {
    const life = baking();
    expect(life.status).toMatchObject({ phase: 'Promoting', weight: 100, ungatedRevisions: ['r1'] });
    expect(life.reasons).toContain('RollbackWindow');
    life.at(21).at(40).at(70);
    expect(life.status.ungatedRevisions).toEqual(['r1']);
    life.at(72).at(80);
    expect(life.status.ungatedRevisions).toEqual(['r1', 'r2']);
  });

  test('looks at each interval by itself', () => {
    const life = baking().at(21);
    const windows = new Set<number>();
    const watched: Observation['traffic'] = (_, since) => {
      windows.add(since);
      return traffic(1000);
    };
    life.at(31, { traffic: watched });
    expect([...windows]).toEqual([Date.UTC(2026, 0, 1, 0, 0, 21)]);
  });

  test('gives all requests back at once when checks fail', () => {
    const life = baking().at(21, bad);
    expect(life.status).toMatchObject({ phase: 'Promoting', failedChecks: 1 });
    life.at(22, bad).at(32, bad);
    expect(life.status).toMatchObject({ phase: 'Failed', weight: 0, ungatedRevisions: ['r1'], failedRevision: 'r2' });
    expect(life.last).toContain('after the promotion');
  });

  test('counts a container that ends as a failed check, as the analysis does', () => {
    const crashed = (restarts: number) => targetOf({ current: 'r2' }, revisionOf('r2', podsOf(4, { restarts })));
    const life = baking().at(12, {}, crashed(1));
    expect(life.status).toMatchObject({ phase: 'Promoting', failedChecks: 1 });
    life.at(13, {}, crashed(2));
    expect(life.status).toMatchObject({ phase: 'Failed', weight: 0, ungatedRevisions: ['r1'] });
  });

  test('gives no revision up for a trouble that the stable one has too', () => {
    const broken = { reason: 'ImagePull', message: 'container app has an image that cannot be had' } as const;
    const revisions = ['r1', 'r2'].map((name) => [name, revisionOf(name, podsOf(4, { broken }))] as const);
    const life = baking().at(12, {}, targetOf({ current: 'r2', rolledOut: false, revisions: new Map(revisions) }));
    expect(life.status).toMatchObject({ phase: 'Promoting', weight: 100 });
  });

  test('does not end on counts that are missing, and not at all in a pause', () => {
    const missing = { traffic: () => ({ ...traffic(1000), complete: false }) };
    const life = baking().at(21).at(72, missing).at(73, missing);
    expect(life.status.ungatedRevisions).toEqual(['r1']);
    life.at(74, { command: 'pause' }).at(75).at(500).at(510);
    expect(life.status).toMatchObject({ phase: 'Promoting', ungatedRevisions: ['r1'], weight: 100 });
    life.at(521, { command: 'resume' });
    expect(life.status.ungatedRevisions).toEqual(['r1', 'r2']);
  });

  test('gives a window that is longer than the deadline the time that it takes', () => {
    const life = new Life({
      stepWeights: [50],
      rollbackWindow: '1m',
      metrics: [{ name: 'request-success-rate', interval: '20m', thresholdRange: { min: 99 } }],
    });
    life.at(0).at(1200).at(1201).at(1211).at(1900);
    expect(life.status).toMatchObject({ phase: 'Promoting', ungatedRevisions: ['r1'] });
    expect(life.at(2402).status.ungatedRevisions).toEqual(['r1', 'r2']);
  });

  test('says whether MetricTemplates answer, and shows both revisions', () => {
    const noValue = { metric: 'orders', since: 0, reason: 'NoValue', message: 'nothing there' };
    const metrics = [{ name: 'orders', templateRef: { name: 'orders' }, thresholdRange: { min: 1 } }];
    const life = new Life({ stepWeights: [50], rollbackWindow: '1m', metrics });
    const value = { measured: (metric: string, since: number) => ({ metric, since, value: 5 }) as never };
    life.at(0, value).at(10, value).at(11, value);
    life.at(21, { measured: () => noValue as never, traffic: () => traffic(500) });
    expect(life.status.conditions).toContainEqual(
      expect.objectContaining({ type: 'MetricsAvailable', status: 'False', reason: 'NoValue' }),
    );
    expect(life.status.stableMetrics?.requests).toBe(500);
  });

  test('is looked at within a check, too: what answers nothing at all gives way at once, and samples of pods come meanwhile', () => {
    const life = new Life({ interval: '5m', stepWeights: [50], rollbackWindow: '10m' }).at(0).at(300).at(301);
    expect(life.status).toMatchObject({ phase: 'Promoting', weight: 100 });
    expect(life.at(310).nextLookMs).toBe(2000);
    const dead = { traffic: (revision: string) => (revision === 'r2' ? traffic(100, 100) : traffic(1000)) };
    expect(life.at(312, dead).status).toMatchObject({ phase: 'Failed', weight: 0 });
  });

  test('begins anew after the release was suspended, for whose time nobody can speak', () => {
    const suspended = { spec: specOf({ stepWeights: [50], rollbackWindow: '1m' }, { suspend: true }) };
    const life = baking().at(21).at(30, suspended);
    expect(life.status).toMatchObject({ weight: 50, ungatedRevisions: ['r1'] });
    expect(life.status.rollbackWindow).toBeUndefined();
  });

  test('is ended by the command promote', () => {
    const life = baking().at(12, { command: 'promote' });
    expect(life.status.ungatedRevisions).toEqual(['r1', 'r2']);
  });
});

describe('dependsOn', () => {
  const pending = {
    dependencies: () => [{ key: 'shop/base', problem: 'Canary shop/base is Progressing', isCycle: false }],
  };

  test('keeps the first request back, without a deadline, and does not stop what has begun', () => {
    const life = new Life().at(0, pending).at(9000, pending);
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'AwaitingDependencies', weight: 0 });
    const waiting = life.status.conditions?.find(({ type }) => type === 'Waiting');
    expect(waiting?.message).toBe('spec.dependsOn: Canary shop/base is Progressing');
    life.at(9001);
    expect(life.status).toMatchObject({ phase: 'Progressing', weight: 5 });
    life.at(9011, pending);
    expect(life.status).toMatchObject({ step: 1, weight: 50 });
  });

  test('names a cycle', () => {
    const dependencies = [
      { key: 'shop/base', problem: 'a depends on b depends on a: no one can go first', isCycle: true },
    ];
    const life = new Life().at(0, { dependencies: () => dependencies });
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'DependencyCycle', weight: 0 });
  });
});
