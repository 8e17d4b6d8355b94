import { describe, expect, test } from '@jest/globals';
import { answering, bad, hook, Life, NO, releasing, YES } from './life.fixture.ts';
import { specOf, targetOf, traffic } from './observation.fixture.ts';

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

  test('after a step that there is not for want of pods comes after the last', () => {
    const mayTake = { maxSurge: false, maxUnavailable: true, progressDeadlineSeconds: true };
    const narrow = releasing({ mayTake, maxSurge: 1 });
    const life = new Life({ stepWeights: [5, 50, 100], pauses: [{ afterStep: 3 }] });
    for (const second of [0, 10, 11, 21]) life.at(second, {}, narrow);
    expect(life.status).toMatchObject({
      phase: 'Waiting',
      verdict: 'Paused',
      weight: 25,
      hold: { point: 'Promotion' },
    });
    life.at(22, { command: 'resume' }, narrow);
    expect(life.status.command?.result).toBe('Done');
    expect(life.status.phase).toBe('Promoting');
  });

  test('goes on after resume has ended a pause by command, and ends with another', () => {
    const life = new Life({ pauses: [{ afterStep: 1 }] }).at(0).at(1, { command: 'pause' }).at(10).at(11);
    expect(life.status).toMatchObject({ hold: { point: 'Advance' }, paused: expect.any(String) });
    life.at(12, { command: 'resume' }).at(13).at(23);
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'Paused', weight: 5 });
    expect(life.status.paused).toBeUndefined();
    expect(life.at(24, { command: 'resume' }).status).toMatchObject({ phase: 'Progressing', weight: 50 });
  });

  test('before the first step sends no request', () => {
    const life = new Life({ pauses: [{ afterStep: 0 }] }).at(0).at(100);
    expect(life.status).toMatchObject({ phase: 'Waiting', verdict: 'Paused', weight: 0 });
    life.at(101, { command: 'resume' });
    expect(life.status).toMatchObject({ phase: 'Progressing', weight: 5 });
  });
});
