import { describe, expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { CanaryEvent } from './draft.ts';
import type { HookAnswer, HookCall } from './hook-call.ts';
import { observationOf, podsOf, revisionOf, specOf, targetOf, traffic } from './observation.fixture.ts';
import type { Observation, TargetView } from './observation.ts';
import { nextStatus } from './phase-machine.ts';

const START = Date.UTC(2026, 0, 1);
const YES: HookAnswer = { passed: true, message: '' };
const NO: HookAnswer = { passed: false, message: '403' };
const atRest = nextStatus(undefined, observationOf(targetOf())).status;
const bad = { traffic: (revision: string) => (revision === 'r2' ? traffic(100, 20) : traffic(1000)) };

/** A release of `r2`, all of whose pods are there. */
const releasing = (more: Partial<TargetView> = {}): TargetView =>
  targetOf({ current: 'r2', ...more }, revisionOf('r2', podsOf(4)));

/** A release that is lived through second by second. */
class Life {
  status: CanaryStatus = atRest;
  readonly events: CanaryEvent[] = [];
  asked: readonly HookCall[] = [];
  readonly #spec: Partial<Observation>;

  constructor(analysis: object = {}, spec: object = {}) {
    this.#spec = { spec: specOf(analysis, spec) };
  }

  at(second: number, more: Partial<Observation> = {}, target = releasing()): this {
    const observation = observationOf(target, { ...this.#spec, now: START + second * 1000, ...more });
    const { status, events, hooks } = nextStatus(this.status, observation);
    this.status = status;
    this.events.push(...events);
    this.asked = hooks;
    return this;
  }

  get reasons(): string[] {
    return this.events.map(({ reason }) => reason);
  }

  get last(): string | undefined {
    return this.events.at(-1)?.message;
  }
}

const hook = (type: string, name = type, more: object = {}) => ({
  type,
  name,
  url: 'http://gate.ops/',
  timeout: '10s',
  ...more,
});
const answering = (answers: Record<string, HookAnswer>) => ({
  answer: ({ hook: { name } }: HookCall) => answers[name],
});

describe('the command promote', () => {
  test('skips the rest of the analysis, grows the revision and opens the gates, once', () => {
    const life = new Life().at(0).at(1, { command: 'promote' });
    expect(life.status).toMatchObject({ phase: 'Promoting', ungatedRevisions: ['r1'] });
    expect(life.status.command).toMatchObject({ value: 'promote', result: 'Done' });
    life.at(2, { command: 'promote' }).at(3);
    expect(life.status).toMatchObject({ phase: 'Promoting', ungatedRevisions: ['r1', 'r2'] });
    expect(life.reasons.filter((reason) => reason === 'CommandDone')).toHaveLength(1);
  });

  test('does not go past a confirm-promotion hook', () => {
    const life = new Life({ webhooks: [hook('confirm-promotion')] }).at(0).at(1, { command: 'promote' });
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'AwaitingConfirmation', weight: 5 });
    life.at(2, answering({ 'confirm-promotion': NO }));
    expect(life.status).toMatchObject({ phase: 'Waiting', weight: 5 });
    life.at(3, answering({ 'confirm-promotion': YES }));
    expect(life.status).toMatchObject({ phase: 'Promoting' });
  });

  test.each<[string, (life: Life) => Life, RegExp]>([
    [
      'nothing is released',
      (life) => life.at(0, { command: 'promote' }, targetOf()),
      /makes no sense now .*nothing is being released/,
    ],
    [
      'the release has failed',
      (life) => life.at(0).at(10, bad).at(11, bad).at(21, bad).at(22, { command: 'promote' }),
      /has been given up already; retry/,
    ],
    [
      'it is for another revision',
      (life) => life.at(0).at(1, { command: 'promote/r7' }),
      /is for revision r7, and r2 is under way/,
    ],
    [
      'it is none',
      (life) => life.at(0).at(1, { command: 'ship-it' }),
      /"ship-it" is no command; write one of promote, abort/,
    ],
    [
      'the release is suspended',
      (life) => life.at(0).at(1, { command: 'promote', spec: specOf({}, { suspend: true }) }),
      /spec.suspend is set/,
    ],
    [
      'the Canary is not valid',
      (life) => life.at(0).at(1, { command: 'promote', spec: undefined, problems: ['bad'] }),
      /makes no sense now/,
    ],
  ])('is refused with a word when %s', (_, story, message) => {
    const life = story(new Life());
    expect(life.status.command).toMatchObject({ result: 'Refused', message: expect.stringMatching(message) });
    expect(life.last).toMatch(message);
    expect(life.status.phase).not.toBe('Promoting');
  });

  test('given again after its annotation is gone is a new command', () => {
    const life = new Life().at(0, { command: 'promote' }, targetOf()).at(1, {}, targetOf());
    expect(life.status.command?.removed).toBe(true);
    life.at(2).at(3, { command: 'promote' });
    expect(life.status).toMatchObject({ phase: 'Promoting', command: { result: 'Done' } });
  });
});

describe('the command abort', () => {
  test.each<[string, Life]>([
    ['in the analysis', new Life().at(0)],
    ['in a pause', new Life().at(0).at(1, { command: 'pause' }).at(2)],
    ['in the rollback window', new Life({ rollbackWindow: '1m', stepWeights: [50] }).at(0).at(10).at(11)],
  ])('gives the revision up %s', (_, life) => {
    life.at(12, { command: 'abort' });
    expect(life.status).toMatchObject({ phase: 'Failed', weight: 0, failedRevision: 'r2', ungatedRevisions: ['r1'] });
    const failed = life.status.conditions?.find(({ type }) => type === 'Failed');
    expect(failed).toMatchObject({ status: 'True', reason: 'Aborted', message: expect.stringContaining('abort') });
    life.at(13, { command: 'abort' }).at(60);
    expect(life.status).toMatchObject({ phase: 'Failed', command: { result: 'Done' } });
  });

  test('is refused once the gates are open', () => {
    const life = new Life({ stepWeights: [50] }).at(0).at(10).at(11).at(12, { command: 'abort' });
    expect(life.status.command).toMatchObject({
      result: 'Refused',
      message: expect.stringContaining('released already'),
    });
    expect(life.status.phase).toBe('Promoting');
  });
});

describe('the command retry', () => {
  test('tries a failed revision anew, from the beginning', () => {
    const life = new Life().at(0).at(10, bad).at(11, bad).at(21, bad);
    expect(life.status.phase).toBe('Failed');
    life.at(30, { command: 'retry' });
    expect(life.status).toMatchObject({
      phase: 'Progressing',
      canaryRevision: 'r2',
      step: 0,
      failedChecks: 0,
      weight: 5,
    });
    expect(life.status.failedRevision).toBeUndefined();
    life.at(31, { command: 'retry' });
    expect(life.reasons.filter((reason) => reason === 'NewRevision')).toHaveLength(2);
  });

  test('is refused while the revision has not failed', () => {
    const life = new Life().at(0).at(1, { command: 'retry' });
    expect(life.status.command).toMatchObject({ result: 'Refused', message: 'revision r2 has not failed' });
  });
});

describe('the commands pause and resume', () => {
  test('hold the step with its weight, without a deadline, and go on from there', () => {
    const life = new Life().at(0).at(1, { command: 'pause' });
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'Paused', weight: 5 });
    const silent = { traffic: () => traffic(0) };
    life.at(2).at(11).at(12).at(30, silent).at(9000, silent).at(9001, silent);
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'Paused', weight: 5, step: 0 });
    expect(life.reasons.filter((reason) => reason === 'Paused')).toHaveLength(1);
    life.at(9002, { command: 'resume' });
    expect(life.status).toMatchObject({ phase: 'Progressing', weight: 50, step: 1 });
  });

  test('a paused revision that is bad is given up all the same', () => {
    const life = new Life().at(0).at(1, { command: 'pause' }).at(2).at(11, bad).at(12, bad).at(22, bad);
    expect(life.status).toMatchObject({ phase: 'Failed', weight: 0 });
    expect(life.status.paused).toBeUndefined();
  });

  test('what failed in the pause must pass again before it goes on', () => {
    const life = new Life().at(0).at(1, { command: 'pause' }).at(11).at(12).at(22, bad).at(23, { command: 'resume' });
    expect(life.status).toMatchObject({ weight: 5, step: 0, failedChecks: 1 });
    life.at(24).at(40);
    expect(life.status).toMatchObject({ step: 0 });
    life.at(41);
    expect(life.status).toMatchObject({ weight: 50, step: 1 });
  });

  test.each([
    ['pause', 'it is paused already', ['pause']],
    ['resume', 'it is not paused', []],
  ])('%s is refused where it changes nothing', (command, message, before) => {
    const life = new Life().at(0);
    for (const given of before) life.at(1, { command: given }).at(2);
    life.at(5, { command });
    expect(life.status.command).toMatchObject({ result: 'Refused', message });
  });
});

describe('a pause of the analysis', () => {
  test('holds the step until resume', () => {
    const life = new Life({ pauses: [{ afterStep: 1 }] }).at(0).at(10);
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'Paused', weight: 5, hold: { point: 'Advance' } });
    expect(life.last).toBe(
      'spec.analysis.pauses holds it after step 1, with 5 % of the requests; the command resume goes on',
    );
    life.at(11).at(21).at(900).at(901, { command: 'resume' });
    expect(life.status).toMatchObject({ phase: 'Progressing', weight: 50, step: 1 });
    expect(life.status.hold).toBeUndefined();
  });

  test('ends by itself after its duration', () => {
    const life = new Life({ pauses: [{ afterStep: 2, duration: '1m' }] }).at(0).at(10).at(20);
    expect(life.status).toMatchObject({
      phase: 'Waiting',
      verdict: 'Paused',
      weight: 50,
      hold: { point: 'Promotion' },
    });
    life.at(79);
    expect(life.status.phase).toBe('Waiting');
    life.at(80);
    expect(life.status.phase).toBe('Promoting');
  });

  test('before the first step sends no request', () => {
    const life = new Life({ pauses: [{ afterStep: 0 }] }).at(0).at(100);
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'Paused', weight: 0 });
    life.at(101, { command: 'resume' });
    expect(life.status).toMatchObject({ phase: 'Progressing', weight: 5 });
  });
});

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
    const life = new Life({ webhooks: [hook('confirm-traffic-increase')] });
    for (const second of [0, 1, 11, 12]) {
      life.at(second, { answer: ({ round }) => (rounds.has(round) ? YES : undefined) });
      for (const { round } of life.asked) rounds.add(round);
    }
    expect(rounds.size).toBe(2);
    expect(life.status).toMatchObject({ step: 1, weight: 50 });
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

  test('gives all requests back at once when checks fail', () => {
    const life = baking().at(21, bad);
    expect(life.status).toMatchObject({ phase: 'Promoting', failedChecks: 1 });
    life.at(22, bad).at(32, bad);
    expect(life.status).toMatchObject({ phase: 'Failed', weight: 0, ungatedRevisions: ['r1'], failedRevision: 'r2' });
    expect(life.last).toContain('after the promotion');
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

  test('is ended by the command promote', () => {
    const life = baking().at(12, { command: 'promote' });
    expect(life.status.ungatedRevisions).toEqual(['r1', 'r2']);
  });
});

describe('dependsOn', () => {
  const pending = { dependencies: [{ key: 'shop/base', problem: 'Canary shop/base is Progressing', isCycle: false }] };

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
    const life = new Life().at(0, { dependencies });
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'DependencyCycle', weight: 0 });
  });
});
