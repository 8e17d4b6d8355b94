import { describe, expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { CanaryEvent } from './draft.ts';
import { observationOf, podsOf, revisionOf, specOf, targetOf, traffic } from './observation.fixture.ts';
import type { Observation, TargetView } from './observation.ts';
import { nextStatus } from './phase-machine.ts';
import { wantedFields } from './targets/wanted-fields.ts';

const START = Date.UTC(2026, 0, 1);
const atRest = nextStatus(undefined, observationOf(targetOf())).status;

/** A release of `r2`, of which so many pods are there. */
function releasing(pods = podsOf(1), more: Partial<TargetView> = {}): TargetView {
  return targetOf({ current: 'r2', ...more }, revisionOf('r2', pods));
}

/** Runs the machine at the given seconds, each time with an observation of its own. */
function run(from: CanaryStatus, ...steps: readonly [number, TargetView | undefined, Partial<Observation>?][]) {
  let status = from;
  let requeueAfterMs: number | undefined;
  const events: CanaryEvent[] = [];
  for (const [second, target, more] of steps) {
    const result = nextStatus(status, observationOf(target, { now: START + second * 1000, ...more }));
    status = result.status;
    requeueAfterMs = result.requeueAfterMs;
    events.push(...result.events);
  }
  return { status, requeueAfterMs, events: events.map(({ reason }) => reason) };
}

function condition({ conditions }: CanaryStatus, type: string) {
  const found = conditions?.find((one) => one.type === type);
  return found && `${found.status} ${found.reason}`;
}

test('a window that an operator began who is gone is begun anew, and then judged', () => {
  const forgetful: Partial<Observation> = {
    traffic: (_revision, since) => ({ ...traffic(1000), complete: since >= START + 30_000 }),
  };
  const { status, events } = run(
    atRest,
    [0, releasing()],
    [1, releasing()],
    [12, releasing(), forgetful],
    [31, releasing(), forgetful],
    [42, releasing(podsOf(2)), forgetful],
  );
  expect(events).toContain('CheckPassed');
  expect(status.step).toBe(1);
});

describe('a target at rest', () => {
  test('is Initialized, with its revision stable and listed', () => {
    expect(atRest).toMatchObject({ phase: 'Initialized', stableRevision: 'r1', ungatedRevisions: ['r1'], weight: 0 });
    expect(condition(atRest, 'TargetReady')).toBe('True Prepared');
    expect(condition(atRest, 'Promoted')).toBe('True Initialized');
  });

  test('is looked at again without a change', () => {
    const { status, events } = run(atRest, [60, targetOf()]);
    expect(status).toEqual(atRest);
    expect(events).toEqual([]);
  });

  test('is not ready before Kubernetes would hold a rollout', () => {
    const { status } = run({}, [0, targetOf({ maxUnavailable: '25%' })]);
    expect(status).toMatchObject({ phase: 'Initializing', ungatedRevisions: ['r1'] });
    expect(condition(status, 'TargetReady')).toBe('False Preparing');
  });

  test.each([
    ['is missing', undefined, {}, 'False TargetMissing'],
    ['is of the kind Recreate', targetOf({ strategy: 'Recreate' }), {}, 'False TargetUnsupported'],
    ['has no Service', targetOf(), { services: [] }, 'False NoService'],
    [
      'has no sidecars',
      targetOf({ revisions: new Map([['r1', revisionOf('r1', podsOf(4, { held: 0, injected: 0 }))]]) }),
      {},
      'False TargetUnsupported',
    ],
    [
      'lets all its pods go',
      targetOf({
        maxUnavailable: '100%',
        mayTake: { maxSurge: true, maxUnavailable: false, progressDeadlineSeconds: true },
      }),
      {},
      'False TargetUnsupported',
    ],
    [
      'is in a namespace that is not part of the mesh',
      targetOf(),
      { undiscovered: 'namespace shop is not part of the mesh' },
      'False NotDiscovered',
    ],
    ['has another Canary', targetOf(), { rival: 'older' }, 'False TargetConflict'],
  ])('that %s is not held, and the mesh is told nothing', (_, target, more, expected) => {
    const { status } = run(atRest, [0, target, more]);
    expect(condition(status, 'TargetReady')).toBe(expected);
    expect(status).toMatchObject({ phase: 'Initializing', weight: 0 });
    expect(status.stableRevision).toBeUndefined();
    expect(status.ungatedRevisions).toEqual(target && !('rival' in more) ? ['r1'] : []);
  });

  test('whose Canary is invalid stays as it is', () => {
    const { status } = run(atRest, [0, targetOf(), { spec: undefined, problems: ['spec.analysis.interval: bad'] }]);
    expect(condition(status, 'Accepted')).toBe('False InvalidSpec');
    expect(status).toMatchObject({ phase: 'Initialized', stableRevision: 'r1' });
  });

  test('says what the fields cost that the user has set', () => {
    const mayTake = { maxSurge: false, maxUnavailable: false, progressDeadlineSeconds: false };
    const { status } = run({}, [0, targetOf({ mayTake, maxSurge: 1, maxUnavailable: 1 })]);
    expect(condition(status, 'TargetReady')).toBe('True PreparedInPart');
    const message = status.conditions?.find(({ type }) => type === 'TargetReady')?.message;
    expect(message).toMatch(/maxUnavailable 1.*maxSurge 1.*cut to 50 %.*progressDeadlineSeconds 600/);
  });

  test('waits for a rollout that began before the Canary', () => {
    const half = targetOf({ current: 'r2' }, revisionOf('r2', podsOf(2, { ungated: 2, held: 0, eligible: 1 })));
    const { status } = run({}, [0, half]);
    expect(condition(status, 'TargetReady')).toBe('False RolloutInProgress');
    expect(status.stableRevision).toBeUndefined();
  });
});

describe('a good release', () => {
  test('goes from step to step, grows, opens the gates, and is stable in the end', () => {
    const weights: (number | undefined)[] = [];
    let status = atRest;
    const step = (second: number, target: TargetView) => {
      status = run(status, [second, target]).status;
      weights.push(status.weight);
    };
    step(0, releasing(podsOf(0)));
    expect(status).toMatchObject({ phase: 'Waiting', verdict: 'AwaitingCapacity', canaryRevision: 'r2' });
    step(1, releasing());
    expect(status).toMatchObject({ phase: 'Progressing', stepStartTime: new Date(START + 1000).toISOString() });
    step(10, releasing());
    step(11, releasing());
    expect(status).toMatchObject({
      phase: 'Waiting',
      verdict: 'AwaitingCapacity',
      step: 1,
      metrics: { successRate: '100%' },
    });
    step(12, releasing(podsOf(2)));
    step(22, releasing(podsOf(2)));
    expect(status).toMatchObject({ phase: 'Promoting', verdict: 'Passed', ungatedRevisions: ['r1'] });
    step(23, releasing(podsOf(3)));
    expect(status.ungatedRevisions).toEqual(['r1']);
    step(24, releasing(podsOf(4)));
    expect(status).toMatchObject({ phase: 'Promoting', ungatedRevisions: ['r1', 'r2'] });
    step(25, releasing(podsOf(4, { held: 0 })));
    step(26, releasing(podsOf(4, { held: 0 }), { rolledOut: true }));
    expect(status).toMatchObject({ phase: 'Succeeded', stableRevision: 'r2', ungatedRevisions: ['r2', 'r1'] });
    expect(status.canaryRevision).toBeUndefined();
    expect(weights).toEqual([0, 5, 5, 5, 50, 50, 75, 100, 100, 0]);
  });

  test('waits until callers have the weight', () => {
    const { status, requeueAfterMs } = run(atRest, [
      0,
      releasing(),
      { coverage: () => ({ callers: 3, acknowledged: 2 }) },
    ]);
    expect(status).toMatchObject({ phase: 'Progressing', weight: 5 });
    expect(status.stepStartTime).toBeUndefined();
    expect(requeueAfterMs).toBe(200);
  });

  test('is not held up for ever by one sidecar that does not acknowledge', () => {
    const coverage = () => ({ callers: 3, acknowledged: 2 });
    const { status } = run(atRest, [0, releasing(), { coverage }], [31, releasing(), { coverage }]);
    expect(status.stepStartTime).toBeDefined();
  });

  test('opens the gates although there is no room to grow', () => {
    const growing = releasing(podsOf(2));
    const done = run(atRest, [0, growing], [10, growing], [20, growing], [30, growing], [51, growing]);
    expect(done.status).toMatchObject({ phase: 'Promoting', weight: 50, ungatedRevisions: ['r1', 'r2'] });
  });

  test('takes its analysis no further than the pods that the user allows', () => {
    const mayTake = { maxSurge: false, maxUnavailable: true, progressDeadlineSeconds: true };
    const narrow = releasing(podsOf(1), { mayTake, maxSurge: 1 });
    const { status } = run(atRest, [0, narrow], [10, narrow], [20, narrow], [21, narrow]);
    expect(status).toMatchObject({ phase: 'Promoting', weight: 25, ungatedRevisions: ['r1', 'r2'] });
  });
});

describe('a release that stands still', () => {
  test.each([
    ['no sidecar calls the target', { coverage: () => ({ callers: 0, acknowledged: 0 }) }, 'NoMeshClients'],
    ['there are too few requests', { traffic: () => traffic(9) }, 'InsufficientTraffic'],
    ['counts are missing', { traffic: () => ({ ...traffic(1000, 1000), complete: false }) }, 'IncompleteMetrics'],
    ['it is suspended', { spec: specOf({}, { suspend: true }) }, 'Suspended'],
  ])('because %s has neither passed nor failed', (_, more, reason) => {
    const { status } = run(atRest, [0, releasing(), more], [10, releasing(), more], [20, releasing(), more]);
    expect(status).toMatchObject({ phase: 'Waiting', verdict: reason, step: 0, failedChecks: 0 });
    expect(condition(status, 'Waiting')).toBe(`True ${reason}`);
  });

  describe('for want of requests', () => {
    const nobody = { ...traffic(0).callers, reporters: 0 };
    const unseen = { ...traffic(0), callers: nobody };
    const of = (stable: typeof unseen) => ({ traffic: (name: string) => (name === 'r1' ? stable : unseen) });

    test.each<[string, number, ReturnType<typeof of>, string]>([
      ['when no sidecar has ever called the Services, says that there are no clients', 20, of(unseen), 'NoMeshClients'],
      ['does not say so before three reports could have come', 12, of(unseen), 'InsufficientTraffic'],
      ['does not say so when one has called the stable revision', 20, of(traffic(0)), 'InsufficientTraffic'],
    ])('%s', (_, second, more, reason) => {
      const { status } = run(atRest, [0, releasing(), more], [second, releasing(), more]);
      expect(status).toMatchObject({ phase: 'Waiting', verdict: reason, failedChecks: 0 });
      expect(condition(status, 'Waiting')).toBe(`True ${reason}`);
    });
  });

  test('fails at the deadline', () => {
    const { status } = run(atRest, [0, releasing(podsOf(0))], [601, releasing(podsOf(0, { trouble: 'no node' }))]);
    expect(status).toMatchObject({ phase: 'Failed', weight: 0, failedRevision: 'r2' });
    expect(condition(status, 'Failed')).toBe('True ProgressDeadlineExceeded');
  });

  test('does not fail at the deadline while it is suspended', () => {
    const more = { spec: specOf({}, { suspend: true }) };
    const { status } = run(atRest, [0, releasing(), more], [9000, releasing(), more], [9001, releasing()]);
    expect(status.phase).toBe('Progressing');
  });

  test('gives back the weight that its pods can no longer carry', () => {
    const wide = run(atRest, [0, releasing(podsOf(2))], [10, releasing(podsOf(2))]).status;
    expect(wide.weight).toBe(50);
    const { status } = run(wide, [12, releasing(podsOf(2), { replicas: 8 })]);
    expect(status).toMatchObject({ phase: 'Waiting', verdict: 'AwaitingCapacity', weight: 25 });
  });
});

describe('a bad release', () => {
  const bad = { traffic: (revision: string) => (revision === 'r2' ? traffic(100, 20) : traffic(1000)) };
  const failed = run(
    atRest,
    [0, releasing(), bad],
    [10, releasing(), bad],
    [11, releasing(), bad],
    [21, releasing(), bad],
  );

  test('gets no request from the moment of the verdict, and its pods stay held', () => {
    expect(failed.status).toMatchObject({ phase: 'Failed', weight: 0, failedRevision: 'r2', ungatedRevisions: ['r1'] });
    expect(failed.status).toMatchObject({ failedChecks: 2, verdict: 'Failed', metrics: { successRate: '80%' } });
    expect(failed.events.slice(-2)).toEqual(['CheckFailed', 'Failed']);
  });

  test('is not tried again', () => {
    const { status } = run(failed.status, [60, releasing()], [600, releasing()]);
    expect(status).toMatchObject({ phase: 'Failed', weight: 0, failedRevision: 'r2' });
  });

  test('makes kubectl rollout status end, then gives the deadline back', () => {
    const wanted = (timedOut: boolean) =>
      wantedFields(failed.status, observationOf(releasing(podsOf(1), { timedOut })));
    expect(wanted(false)).toMatchObject({ progressDeadlineSeconds: 1, maxUnavailable: 0, maxSurge: '5%' });
    expect(wanted(true)).not.toHaveProperty('progressDeadlineSeconds');
  });

  test('gives way to a new template', () => {
    const third = targetOf({ current: 'r3' }, revisionOf('r2', podsOf(0)), revisionOf('r3', podsOf(1)));
    const { status } = run(failed.status, [60, third]);
    expect(status).toMatchObject({ phase: 'Progressing', canaryRevision: 'r3', failedChecks: 0, weight: 5 });
    expect(status.failedRevision).toBeUndefined();
  });

  test('ends as Initialized when the template goes back to the stable one', () => {
    const { status, events } = run(failed.status, [60, targetOf()]);
    expect(status).toMatchObject({ phase: 'Initialized', stableRevision: 'r1', weight: 0 });
    expect(events).toEqual(['Reverted']);
  });

  test('is one whose containers restart, whatever the requests say', () => {
    const crashes = (restarts: number) => releasing(podsOf(1, { restarts }));
    const { status } = run(atRest, [0, crashes(0)], [3, crashes(1)], [4, crashes(1)], [6, crashes(2)]);
    expect(status).toMatchObject({ phase: 'Failed', failedChecks: 2 });
    expect(condition(status, 'Failed')).toBe('True ThresholdReached');
  });

  test('is one that crashes in a loop', () => {
    const broken = { reason: 'PodsCrash', message: 'container app crashes' } as const;
    const loop = releasing(podsOf(1, { eligible: 0, broken }));
    const { status } = run(atRest, [0, loop]);
    expect(status).toMatchObject({ phase: 'Failed', failedChecks: 0 });
    expect(condition(status, 'Failed')).toBe('True PodsCrash');
  });

  test('is no worse than the stable one in the same trouble: then checks fail, up to the threshold', () => {
    const broken = { reason: 'ImagePull', message: 'container app has an image that cannot be had' } as const;
    const stable = revisionOf('r1', podsOf(4, { held: 0, broken }));
    const next = revisionOf('r2', podsOf(1, { eligible: 0, broken }));
    const revisions = new Map([stable, next].map((one) => [one.revision, one]));
    const target = targetOf({ current: 'r2', rolledOut: false, revisions });
    expect(run(atRest, [0, target]).status.phase).not.toBe('Failed');
    expect(run(atRest, [0, target], [10, target], [15, target], [20, target]).status.failedChecks).toBe(2);
  });
});

describe('a new template in the middle', () => {
  test('begins the analysis anew', () => {
    const wide = run(atRest, [0, releasing(podsOf(2))], [10, releasing(podsOf(2))]).status;
    const third = targetOf({ current: 'r3' }, revisionOf('r2', podsOf(2)), revisionOf('r3', podsOf(1)));
    const { status, events } = run(wide, [12, third]);
    expect(status).toMatchObject({ canaryRevision: 'r3', step: 0, weight: 5, ungatedRevisions: ['r1'] });
    expect(events).toEqual(['Superseded', 'NewRevision', 'WeightSet']);
  });

  test('of a promotion keeps both released revisions listed', () => {
    const full = releasing(podsOf(4));
    const open = run(atRest, [0, full], [10, full], [20, full], [21, full]).status;
    expect(open.ungatedRevisions).toEqual(['r1', 'r2']);
    const third = targetOf({ current: 'r3' }, revisionOf('r2', podsOf(3, { held: 0 })), revisionOf('r3', podsOf(1)));
    const { status } = run(open, [22, third]);
    expect(status).toMatchObject({ canaryRevision: 'r3', stableRevision: 'r1', phase: 'Progressing' });
    expect(status.ungatedRevisions).toEqual(expect.arrayContaining(['r1', 'r2']));
    expect(status.ungatedRevisions).not.toContain('r3');
  });
});

describe('a release without analysis', () => {
  test.each([
    ['skipAnalysis is set', releasing(podsOf(1)), { spec: specOf({}, { skipAnalysis: true }) }],
    [
      'it is a restart',
      targetOf({ current: 'r2' }, { ...revisionOf('r2', podsOf(1)), restartFingerprint: 'template r1' }),
      {},
    ],
    ['the target is scaled to 0', releasing(podsOf(0), { replicas: 0 }), {}],
  ])('since %s opens the gates at once', (_, target, more) => {
    const { status, events } = run(atRest, [0, target, more]);
    expect(status).toMatchObject({ phase: 'Promoting', ungatedRevisions: ['r1', 'r2'] });
    expect(events).toContain('ReleasedUntried');
    expect(wantedFields(status, observationOf(target, more))).toMatchObject({ maxSurge: '25%' });
  });

  test('is for new revisions: one that was given up stays where it is, until it is retried', () => {
    const failed: CanaryStatus = { ...atRest, phase: 'Failed', canaryRevision: 'r2', failedRevision: 'r2' };
    const skips = { spec: specOf({}, { skipAnalysis: true }) };
    const { status } = run(failed, [0, releasing(podsOf(1)), skips]);
    expect(status).toMatchObject({ phase: 'Failed', failedRevision: 'r2', weight: 0 });
    expect(status.ungatedRevisions).not.toContain('r2');
    const retried = run(failed, [0, releasing(podsOf(1)), { ...skips, command: 'retry' }]).status;
    expect(retried.ungatedRevisions).toContain('r2');
    const third = targetOf({ current: 'r3' }, revisionOf('r2', podsOf(1)), revisionOf('r3', podsOf(1)));
    expect(run(failed, [0, third, skips]).status.ungatedRevisions).toEqual(expect.arrayContaining(['r1', 'r3']));
  });

  test('is the return to a revision that was stable lately', () => {
    const lately = { ...atRest, recentRevisions: ['r1', 'r2'], ungatedRevisions: ['r1', 'r2'] };
    const { status } = run(lately, [0, releasing(podsOf(1, { ungated: 1, held: 0 }))]);
    expect(status).toMatchObject({ phase: 'Promoting', canaryRevision: 'r2' });
  });
});

describe('a status that was wiped', () => {
  test('is made anew with the revision stable that has all its pods Ready', () => {
    const { status } = run({}, [0, releasing(podsOf(2))]);
    expect(status).toMatchObject({ stableRevision: 'r1', ungatedRevisions: ['r1'], canaryRevision: 'r2' });
  });

  test('in the middle of a promotion does not hold the new revision back', () => {
    const pods = podsOf(2, { held: 0 });
    const { status } = run({}, [0, releasing(pods, { rolledOut: false })]);
    expect(status.ungatedRevisions).toEqual(expect.arrayContaining(['r1', 'r2']));
  });
});

describe('a revision that came without gates', () => {
  const ungated = podsOf(1, { ungated: 1, held: 0 });
  const paused = run(atRest, [0, releasing(ungated)], [1, releasing(ungated, { pausedBy: 'us' })]).status;

  test('is paused and gets no requests', () => {
    expect(paused).toMatchObject({ phase: 'Waiting', verdict: 'Ungated', weight: 0 });
    expect(condition(paused, 'Ungated')).toBe('True Paused');
    const wanted = wantedFields(paused, observationOf(releasing(ungated, { pausedBy: 'us' })));
    expect(wanted).toMatchObject({ paused: true });
  });

  test('is released when the user resumes the rollout', () => {
    const { status } = run(paused, [2, releasing(ungated)]);
    expect(status).toMatchObject({ phase: 'Promoting', ungatedRevisions: ['r1', 'r2'] });
    expect(wantedFields(status, observationOf(releasing(ungated)))).not.toHaveProperty('paused');
  });

  test('stays stopped where it runs because a manifest that says so was applied again', () => {
    const resumed = releasing(ungated, { pauseIsApplied: true });
    const { status } = run(paused, [2, resumed]);
    expect(status).toMatchObject({ phase: 'Waiting', verdict: 'Ungated', weight: 0, ungatedRevisions: ['r1'] });
    expect(wantedFields(status, observationOf(resumed))).toMatchObject({ paused: true });
    expect(status.conditions?.find(({ type }) => type === 'Ungated')?.message).toContain(
      'spec.skipAnalysis releases it',
    );
  });

  test('is said beforehand to be undone by a manifest that has the field, and no more where a person has paused', () => {
    const ready = (more: Partial<TargetView>) =>
      nextStatus(undefined, observationOf(targetOf(more))).status.conditions?.find(
        ({ type }) => type === 'TargetReady',
      );
    expect(ready({ pauseIsApplied: true })).toMatchObject({ status: 'True', reason: 'PreparedInPart' });
    expect(ready({ pauseIsApplied: true })?.message).toContain('leave the field out');
    expect(ready({ pauseIsApplied: true, pausedBy: 'user' })?.message).not.toContain('leave the field out');
    expect(ready({})?.message).not.toContain('leave the field out');
  });

  test('is tried once its pods have come back with gates', () => {
    const target = releasing(podsOf(1), { pausedBy: 'us' });
    const { status } = run(paused, [2, target]);
    expect(status).toMatchObject({ phase: 'Progressing', weight: 5 });
    expect(condition(status, 'Ungated')).toBe('False Gated');
    expect(wantedFields(status, observationOf(target))).not.toHaveProperty('paused');
  });
});
