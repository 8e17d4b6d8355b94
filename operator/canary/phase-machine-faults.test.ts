import { describe, expect, test } from '@jest/globals';
import type { CanarySpec } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { observationOf, podsOf, revisionOf, specOf, targetOf } from './observation.fixture.ts';
import type { TargetView } from './observation.ts';
import { nextStatus } from './phase-machine.ts';
import { wantedFields } from './targets/wanted-fields.ts';

const START = Date.UTC(2026, 0, 1);
const atRest = nextStatus(undefined, observationOf(targetOf())).status;
const ungated = podsOf(1, { ungated: 1, held: 0 });

/** A release of `r2`, of which so many pods are there. */
const releasing = (pods = podsOf(1)) => targetOf({ current: 'r2' }, revisionOf('r2', pods));

function run(from: CanaryStatus, ...steps: readonly [number, TargetView][]) {
  return runBy(specOf(), from, ...steps);
}

function runBy(spec: CanarySpec, from: CanaryStatus, ...steps: readonly [number, TargetView][]) {
  let status = from;
  const events: string[] = [];
  for (const [second, target] of steps) {
    const result = nextStatus(status, observationOf(target, { spec, now: START + second * 1000 }));
    status = result.status;
    events.push(...result.events.map(({ reason }) => reason));
  }
  return { status, events };
}

describe('a clock that was ahead by an hour', () => {
  test('does not keep the next leader waiting for an hour', () => {
    const { status } = run(
      atRest,
      [3600, releasing()],
      [3601, releasing()],
      [10, releasing()],
      [21, releasing(podsOf(2))],
    );
    expect(status.step).toBe(1);
  });

  test('does not put the deadline off', () => {
    const { status } = run(
      atRest,
      [3600, releasing(podsOf(0))],
      [10, releasing(podsOf(0))],
      [700, releasing(podsOf(0))],
    );
    expect(status.phase).toBe('Failed');
  });

  test('does not make a pause last for an hour', () => {
    const spec = specOf({ pauses: [{ afterStep: 1, duration: '15s' }] });
    const whole = releasing(podsOf(2));
    const held = runBy(spec, atRest, [3600, whole], [3611, whole]).status;
    expect(held).toMatchObject({ phase: 'Waiting', verdict: 'Paused' });
    expect(runBy(spec, held, [20, whole], [36, whole]).status).toMatchObject({ phase: 'Progressing', step: 1 });
  });

  test('does not keep two revisions whole for an hour', () => {
    const spec = specOf({ stepWeights: [50], rollbackWindow: '30s' });
    const whole = releasing(podsOf(4));
    const begun = runBy(spec, atRest, [3600, whole], [3611, whole], [3612, whole]).status;
    expect(begun.rollbackWindow?.since).toBeDefined();
    const ended = runBy(spec, begun, [20, whole], [31, whole], [42, whole], [53, whole]).status;
    expect(ended.ungatedRevisions).toContain('r2');
  });
});

describe('a template that changes while its forerunner stands paused for want of gates', () => {
  const paused = run(
    atRest,
    [0, releasing(ungated)],
    [1, targetOf({ current: 'r2', pausedBy: 'us' }, revisionOf('r2', ungated))],
  );

  test('is tried, for nobody resumed it', () => {
    const target = targetOf({ current: 'r3' }, revisionOf('r2', ungated), revisionOf('r3', podsOf(1)));
    const { status, events } = run(paused.status, [2, target]);
    expect(events).not.toContain('ReleasedUntried');
    expect(status.ungatedRevisions).toEqual(['r1']);
  });

  test('is tried against the pods that serve, when those without gates have replaced all others', () => {
    const serving = revisionOf('r2', podsOf(4, { ungated: 4, held: 0 }));
    const revisions = new Map(
      [serving, revisionOf('r1', podsOf(0)), revisionOf('r3', podsOf(1))].map((one) => [one.revision, one]),
    );
    const { status, events } = run(paused.status, [2, targetOf({ current: 'r3', revisions, rolledOut: false })]);
    expect(events).toContain('Unanalysed');
    expect(events).not.toContain('ReleasedUntried');
    expect(status).toMatchObject({ stableRevision: 'r2', canaryRevision: 'r3', phase: 'Progressing' });
  });
});

test('a revision that was released for want of stable pods stays released when pods of another come up', () => {
  const gone = revisionOf('r1', podsOf(0));
  const released = revisionOf('r3', podsOf(2, { held: 0 }));
  const at = (...more: ReturnType<typeof revisionOf>[]) =>
    targetOf({
      current: 'r3',
      rolledOut: false,
      revisions: new Map([gone, released, ...more].map((one) => [one.revision, one])),
    });
  const { status } = run(atRest, [0, at()], [1, at(revisionOf('r2', podsOf(2, { ungated: 2, held: 0 })))]);
  expect(status).toMatchObject({ stableRevision: 'r1', canaryRevision: 'r3' });
  expect(status.ungatedRevisions).toContain('r3');
});

test('a revision that was released for want of stable pods is what the next one is tried against, though its pods just come up', () => {
  const gone = revisionOf('r1', podsOf(0));
  const starting = revisionOf('r2', podsOf(4, { eligible: 0, held: 0 }));
  const at = (current: string, ...more: ReturnType<typeof revisionOf>[]) =>
    targetOf({
      current,
      rolledOut: false,
      revisions: new Map([gone, starting, ...more].map((one) => [one.revision, one])),
    });
  const { status, events } = run(atRest, [0, at('r2')], [1, at('r3', revisionOf('r3', podsOf(0)))]);
  expect(events.filter((reason) => reason === 'ReleasedUntried')).toHaveLength(1);
  expect(status).toMatchObject({ stableRevision: 'r2', canaryRevision: 'r3' });
  expect(status.ungatedRevisions).not.toContain('r3');
});

test('a status that is lost in the middle of an untried rollout leaves the pods shut that were held', () => {
  const released = revisionOf('r3', podsOf(2, { held: 0 }));
  const target = targetOf({ current: 'r3' }, revisionOf('r2', podsOf(2)), released);
  const { status } = nextStatus(undefined, observationOf(target));
  expect(status.conditions).toContainEqual(expect.objectContaining({ reason: 'RolloutInProgress' }));
  expect(status.ungatedRevisions).toEqual(['r1', 'r3']);
});

test('a restart whose pods do not start has kubectl rollout status end after the deadline', () => {
  const restart = { ...revisionOf('r2', podsOf(1, { eligible: 0 })), restartFingerprint: 'template r1' };
  const target = targetOf({ current: 'r2' }, restart);
  const { status } = run(atRest, [0, target], [40, target]);
  expect(status.phase).toBe('Promoting');
  const wanted = (second: number) => wantedFields(status, observationOf(target, { now: START + second * 1000 }));
  expect(wanted(50)?.progressDeadlineSeconds).toBeGreaterThan(600);
  expect(wanted(700)?.progressDeadlineSeconds).toBe(600);
});

describe('a Canary', () => {
  test('that names another target knows nothing of what it found out about the one before', () => {
    const failed: CanaryStatus = { ...atRest, phase: 'Failed', canaryRevision: 'r2', failedRevision: 'r2' };
    const known = { ...failed, target: 'ordering', recentRevisions: ['r1', 'r2'] };
    expect(run(known, [1, releasing()]).status).toMatchObject({ phase: 'Promoting' });
    const spec = specOf({}, { targetRef: { kind: 'Deployment', name: 'billing' } });
    const { status } = runBy(spec, known, [1, releasing()]);
    expect(status).toMatchObject({ phase: 'Progressing', stableRevision: 'r1', recentRevisions: ['r1'] });
    expect(status.failedRevision).toBeUndefined();
  });

  test('that is not valid from its first day on holds no pod back', () => {
    const { status } = nextStatus(undefined, observationOf(releasing(), { spec: undefined, problems: ['bad'] }));
    expect(status).toMatchObject({ phase: 'Initializing', ungatedRevisions: ['r1', 'r2'] });
  });
});
