import { expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { observationOf, podsOf, revisionOf, targetOf, traffic } from './observation.fixture.ts';
import type { Observation, TargetView } from './observation.ts';
import { nextStatus } from './phase-machine.ts';

const START = Date.UTC(2026, 0, 1);
const atRest = nextStatus(undefined, observationOf(targetOf())).status;
const releasing = (revision = 'r2', pods = podsOf(4)) => targetOf({ current: revision }, revisionOf(revision, pods));
const promoted = targetOf({ current: 'r2', rolledOut: true }, revisionOf('r2', podsOf(4, { held: 0 })));

function run(from: CanaryStatus, ...steps: readonly [number, TargetView | undefined, Partial<Observation>?][]) {
  let status = from;
  for (const [second, target, more] of steps) {
    status = nextStatus(status, observationOf(target, { now: START + second * 1000, ...more })).status;
  }
  return status;
}

const outcomes = ({ history = [] }: CanaryStatus) => history.map(({ revision, outcome }) => `${revision} ${outcome}`);
const failing: Partial<Observation> = { traffic: (revision) => traffic(1000, revision === 'r2' ? 1000 : 0) };
const wholeRelease: [number, TargetView][] = [0, 1, 12, 13, 24, 25, 26].map((second) => [second, releasing()]);

test('a release is written down from its first moment', () => {
  const { history } = run(atRest, [5, releasing()]);
  expect(history).toEqual([{ revision: 'r2', stableRevision: 'r1', startTime: '2026-01-01T00:00:05.000Z' }]);
});

test('one that is promoted ends so', () => {
  const status = run(atRest, ...wholeRelease, [40, promoted]);
  expect(outcomes(status)).toEqual(['r2 Promoted']);
  expect(status.history?.[0]).toMatchObject({
    startTime: '2026-01-01T00:00:00.000Z',
    endTime: '2026-01-01T00:00:40.000Z',
  });
});

test('one that fails ends once, with its reason, and a retry is a release of its own', () => {
  const failed = run(
    atRest,
    [0, releasing()],
    [1, releasing(), failing],
    [12, releasing(), failing],
    [20, releasing(), failing],
  );
  expect(outcomes(failed)).toEqual(['r2 GivenUp']);
  expect(failed.history?.[0]?.message).toMatch(/^revision r2 was given up: none of 1000 requests succeeded/);
  const again = run(failed, [30, releasing(), { command: 'retry' }]);
  expect(outcomes(again)).toEqual(['r2 undefined', 'r2 GivenUp']);
});

test.each([
  ['a newer template takes its place', releasing('r3'), ['r3 undefined', 'r2 Superseded']],
  ['the template goes back', targetOf(), ['r2 Reverted']],
  ['the target goes', undefined, ['r2 Dropped']],
])('one ends when %s', (_, target, expected) => {
  expect(outcomes(run(atRest, [0, releasing()], [5, target]))).toEqual(expected);
});

test('one without analysis says so', () => {
  const restart = { ...revisionOf('r2', podsOf(4, { held: 0 })), restartFingerprint: 'template r1' };
  const status = run(
    atRest,
    [0, targetOf({ current: 'r2' }, restart)],
    [60, targetOf({ current: 'r2', rolledOut: true }, restart)],
  );
  expect(outcomes(status)).toEqual(['r2 ReleasedUntried']);
});

test('ten are kept, the newest first', () => {
  let status = atRest;
  for (let i = 2; i < 20; i++) status = run(status, [i, releasing(`r${i}`)]);
  expect(status.history).toHaveLength(10);
  expect(status.history?.[0]?.revision).toBe('r19');
});
