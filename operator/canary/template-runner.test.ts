import { afterEach, expect, test } from '@jest/globals';
import type { TemplateAnswer } from '../../api/canary-round.ts';
import type { AskTemplate, TemplateQuestion } from './template-question.ts';
import { TemplateRunner } from './template-runner.ts';

const UID = 'uid-1';
const runners: TemplateRunner[] = [];
afterEach(() => {
  for (const runner of runners.splice(0)) runner.stop();
});

function question(metric: string, since: number, intervalMs = 0): TemplateQuestion {
  const values = {
    name: 'a',
    namespace: 'n',
    target: 'a',
    service: 'a',
    interval: '1s',
    revision: 'r2',
    variables: {},
  };
  const templateRef = { name: metric, namespace: 'n' };
  return {
    metric,
    templateRef,
    namespace: 'n',
    values,
    stableRevision: undefined,
    intervalMs,
    afterMs: intervalMs,
    since,
  };
}

function start(ask: AskTemplate, more: { retryMs?: number; timeoutMs?: number } = {}) {
  const runner = new TemplateRunner({ ask, now: () => 1000, ...more });
  runners.push(runner);
  const heard = (): Promise<string> => new Promise((resolve) => runner.onAnswer(resolve));
  return { runner, heard };
}

const answered = (value: number): TemplateAnswer => ({ metric: 'm', query: 'm', value });

test('an answer counts for the window that was asked about, and no other', async () => {
  const { runner, heard } = start(async () => answered(3));
  const told = heard();
  runner.want(UID, 'n/a', [question('m', 1000, 60_000)]);
  runner.want(UID, 'n/a', [question('m', 900)]);
  expect(runner.answer(UID, 'm', 900)).toBeUndefined();
  expect(await told).toBe('n/a');
  expect(runner.answer(UID, 'm', 900)).toEqual(answered(3));
  expect(runner.answer(UID, 'm', 1000)).toBeUndefined();
  expect(runner.answer('other', 'm', 900)).toBeUndefined();
});

test('what is wanted still is not asked twice at once, and what is wanted no more is ended', async () => {
  const signals: AbortSignal[] = [];
  const { runner } = start((_, signal) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  runner.want(UID, 'n/a', [question('m', 0)]);
  runner.want(UID, 'n/a', [question('m', 0)]);
  while (signals.length === 0) await new Promise(setImmediate);
  expect(signals).toHaveLength(1);
  runner.want(UID, 'n/a', []);
  expect(signals[0]?.aborted).toBe(true);
});

test('an answer that comes to what is wanted no more is told to nobody, and not asked for again', async () => {
  let [asked, answer] = [0, (_: TemplateAnswer) => {}];
  const { runner, heard } = start(() => {
    asked += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  });
  let told = false;
  void heard().then(() => {
    told = true;
  });
  runner.want(UID, 'n/a', [question('m', 0)]);
  while (asked === 0) await new Promise(setImmediate);
  runner.want(UID, 'n/a', []);
  answer(answered(3));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([told, asked]).toEqual([false, 1]);
});

test('without a value it is asked again, and the error is known meanwhile', async () => {
  let asked = 0;
  const ask: AskTemplate = async () => {
    asked += 1;
    return asked === 1 ? { metric: 'm', query: 'm', reason: 'TimedOut', error: 'no answer' } : answered(5);
  };
  const { runner, heard } = start(ask, { retryMs: 1 });
  const first = heard();
  runner.want(UID, 'n/a', [question('m', 0, 900)]);
  await first;
  expect(runner.answer(UID, 'm', 0)).toMatchObject({ reason: 'TimedOut' });
  await heard();
  expect(runner.answer(UID, 'm', 0)).toEqual(answered(5));
});

test('no more than sixteen are under way at once, and those that hang give way', async () => {
  const hanging: AbortSignal[] = [];
  let most = 0;
  let running = 0;
  const { runner } = start(
    (asked, signal) => {
      running += 1;
      most = Math.max(most, running);
      hanging.push(signal);
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          running -= 1;
          resolve({ metric: asked.metric, query: '', reason: 'TimedOut', error: 'no answer' });
        });
      });
    },
    { timeoutMs: 50, retryMs: 60_000 },
  );
  for (let i = 0; i < 40; i++) runner.want(`uid-${i}`, 'n/a', [question('m', 0)]);
  while (hanging.length < 40) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(most).toBe(16);
});
