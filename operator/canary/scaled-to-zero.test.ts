import { expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { observationOf, podsOf, revisionOf, targetOf } from './observation.fixture.ts';
import type { TargetView } from './observation.ts';
import { nextStatus } from './phase-machine.ts';

const START = Date.UTC(2026, 0, 1);
const atRest = nextStatus(undefined, observationOf(targetOf())).status;

/** A Deployment with the template of `r2`, and so many pods of both revisions. At 0 all counts are equal, so Kubernetes calls it rolled out. */
function targetWith(old: number, fresh: number, replicas: number): TargetView {
  const revisions = [revisionOf('r1', podsOf(old, { held: 0 })), revisionOf('r2', podsOf(fresh))];
  const views = new Map(revisions.map((view) => [view.revision, view]));
  return targetOf({ current: 'r2', replicas, rolledOut: replicas === 0, revisions: views });
}

const trying = targetWith(4, 1, 4);
const atZero = targetWith(0, 0, 0);

function run(from: CanaryStatus, ...steps: readonly [number, TargetView][]) {
  let status = from;
  const events: string[] = [];
  for (const [second, target] of steps) {
    const result = nextStatus(status, observationOf(target, { now: START + second * 1000 }));
    status = result.status;
    events.push(...result.events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`));
  }
  return { status, events };
}

/** `r2` was given up: its image can't be pulled. */
const broken = targetOf(
  { current: 'r2' },
  revisionOf('r2', podsOf(1, { eligible: 0, broken: { reason: 'ImagePull', message: 'no such image' } })),
);
const failed = run(atRest, [0, broken]).status;

test('a revision under trial whose target is scaled to 0 is released untried, which is what is said', () => {
  const { status, events } = run(atRest, [0, trying], [1, atZero], [2, atZero]);
  expect(status).toMatchObject({ phase: 'Succeeded', stableRevision: 'r2', ungatedRevisions: ['r2', 'r1'] });
  expect(status.history?.[0]).toMatchObject({ revision: 'r2', outcome: 'ReleasedUntried' });
  expect(events).toContain(
    'Normal ReleasedUntried: revision r2 is released without an analysis: the target is scaled to 0',
  );
  expect(events.filter((event) => /Unanalysed|Reverted/.test(event))).toEqual([]);
});

test('a revision that was given up is not released because its target is scaled to 0', () => {
  expect(failed).toMatchObject({ phase: 'Failed', failedRevision: 'r2' });
  const { status, events } = run(failed, [10, atZero], [20, atZero]);
  expect(status).toMatchObject({ phase: 'Failed', stableRevision: 'r1', failedRevision: 'r2' });
  expect(status.ungatedRevisions).not.toContain('r2');
  expect(events).toEqual([]);
  const ready = status.conditions?.find(({ type }) => type === 'TargetReady');
  expect(ready?.message).toMatch(/scaled to 0.*newest template again, also one that was given up/);
});

test('and is released when it is all that Kubernetes starts again, with a warning', () => {
  const { status, events } = run(failed, [10, atZero], [20, targetWith(0, 1, 1)]);
  expect(status).toMatchObject({ phase: 'Promoting', ungatedRevisions: ['r1', 'r2'] });
  expect(events).toEqual([
    'Warning ReleasedFailed: revision r2, which was given up, is released all the same: no pod of the stable revision is left',
  ]);
});

test('and is forgotten when the template is that of the stable revision again before that', () => {
  const reverted = targetOf({ ...atZero, current: 'r1' });
  const { status, events } = run(failed, [10, atZero], [20, reverted]);
  expect(status).toMatchObject({ phase: 'Initialized', stableRevision: 'r1', ungatedRevisions: ['r1'] });
  expect(events).toEqual([expect.stringContaining('Reverted')]);
});
