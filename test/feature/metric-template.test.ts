import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TemplateAnswer } from '../../api/canary-round.ts';
import { METRIC_TEMPLATE, SECRET } from '../../kube/kinds.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { TemplateRunner } from '../../operator/canary/template-runner.ts';
import { blockList } from '../../operator/outward/destination.ts';
import { askTemplate } from '../../operator/providers/ask-template.ts';
import { PASSWORD, PrometheusProcess } from './support/prometheus-process.ts';

/** MetricTemplates asked of a real Prometheus, as the operator's runner asks them. */

const namespace = 'shop';
let prometheus: PrometheusProcess;
let api: MemoryApi;
let runner: TemplateRunner;

beforeAll(async () => {
  prometheus = await PrometheusProcess.start();
  prometheus.metrics = [
    'errors_total{app="orders",revision="old"} 7',
    'errors_total{app="orders",revision="new"} 30',
    'errors_total{app="other",revision="new"} 1',
    '',
  ].join('\n');
  api = new MemoryApi();
  const secret = (name: string, password: string) => {
    const data = { username: 'admin', password };
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    return api.create(SECRET, { metadata: { name, namespace }, data: Object.fromEntries(encoded) } as object);
  };
  await secret('good', PASSWORD);
  await secret('bad', 'guessed');
  const bounds = { allowed: blockList(['127.0.0.0/8']), rootNamespace: 'heddle-system' };
  runner = new TemplateRunner({ ask: (question, signal) => askTemplate(question, { api, ...bounds }, signal) });
  // A series is there once it was scraped.
  await untilAnswered('sum(errors_total{app="other"})', ({ value }) => value === 1);
}, 120_000);

afterAll(async () => {
  runner?.stop();
  await prometheus?.stop();
});

let asked = 0;

/** What a query comes to for the revision `new`. */
async function ask(query: string, stableRevision?: string, secret = 'good'): Promise<TemplateAnswer> {
  const name = `template-${++asked}`;
  const provider = { type: 'prometheus', address: prometheus.url, secretRef: { name: secret } };
  await api.create(METRIC_TEMPLATE, { metadata: { name, namespace }, spec: { provider, query } } as object);
  const names = { name: 'orders', namespace, target: 'orders', service: 'orders', interval: '5s' };
  const values = { ...names, revision: 'new', variables: { app: 'orders' } };
  const answered = new Promise<void>((resolve) => runner.onAnswer(() => resolve()));
  const question = { metric: name, templateRef: { name, namespace }, namespace, values, stableRevision };
  runner.want('uid', 'shop/orders', [{ ...question, intervalMs: 60_000, afterMs: 60_000, since: 0 }]);
  await answered;
  const answer = runner.answer('uid', name, 0);
  if (answer === undefined) throw new Error('there is no answer');
  return answer;
}

async function untilAnswered(query: string, isIt: (answer: TemplateAnswer) => boolean): Promise<void> {
  for (const end = performance.now() + 60_000; ; ) {
    const answer = await ask(query);
    if (isIt(answer)) return;
    if (performance.now() > end) throw new Error(JSON.stringify(answer));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('a query comes to a value for each revision', async () => {
  const query = 'sum(errors_total{app="{{ variables.app }}",revision="{{ revision }}"})';
  expect(await ask(query)).toMatchObject({
    query: 'sum(errors_total{app="orders",revision="new"})',
    value: 30,
  });
  expect(await ask(query, 'old')).toMatchObject({ value: 30, stableValue: 7 });
  expect(await ask('scalar(sum(errors_total))')).toMatchObject({ value: 38 });
});

test.each([
  ['several series', 'errors_total', 'SeveralValues', /3 series; the query must come to one/],
  ['no series', 'sum(nothing_total)', 'NoValue', /no series/],
  ['no number', 'sum(errors_total) * 0 / 0', 'NotANumber', /"NaN"/],
  ['an infinite number', 'sum(errors_total) / 0', 'NotANumber', /"\+Inf"/],
  ['a range', 'errors_total[{{ interval }}]', 'SeveralValues', /comes to a matrix/],
  ['no query at all', 'sum(', 'ServerRefused', /Prometheus says: .*parse error/],
])('%s is an error, never a value', async (_, query, reason, said) => {
  const answer = await ask(query);
  expect(answer).toMatchObject({ reason, error: expect.stringMatching(said) });
  expect(answer.value).toBeUndefined();
});

test('a password that is wrong is refused, and not shown', async () => {
  const { error, reason } = await ask('up', undefined, 'bad');
  expect(`${reason}: ${error}`).toBe('ServerRefused: the server answered 401: Unauthorized');
});
