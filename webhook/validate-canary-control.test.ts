import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import type { Canary } from '../api/canary.ts';
import { canarySpec } from '../api/canary.ts';
import { validateAlertProvider } from './validate-alert-provider.ts';
import { validateCanary } from './validate-canary.ts';
import { commandProblems, cycleProblems } from './validate-canary-control.ts';

const spec = (analysis: object, more: object = {}) => ({
  targetRef: { kind: 'Deployment', name: 'ordering' },
  analysis: { interval: '10s', stepWeights: [5, 50], ...analysis },
  ...more,
});
const hook = (more: object = {}) => ({ name: 'gate', url: 'http://gate.ops:8080/check?canary=a', ...more });
const provider = { providerRef: { name: 'team' } };

describe('the control of a release', () => {
  test.each([
    [
      'hooks of each type',
      spec({
        webhooks: [
          hook(),
          hook({ name: 'end', type: 'post-rollout', timeout: '3m', retries: 2, metadata: { a: 'b' } }),
        ],
      }),
    ],
    ['alerts', spec({ alerts: [{ name: 'a', severity: 'error', ...provider }] })],
    ['pauses', spec({ pauses: [{ afterStep: 0 }, { afterStep: 2, duration: '10m' }] })],
    ['a pause after the copies and two weights', spec({ mirror: true, pauses: [{ afterStep: 3 }] })],
    ['a rollback window', spec({ rollbackWindow: '5m' })],
    ['dependencies', spec({}, { dependsOn: [{ name: 'base' }, { name: 'base', namespace: 'infra' }] })],
  ])('may have %s', (_, given) => {
    expect(validateCanary(given)).toEqual([]);
  });

  test.each([
    [
      'a hook of a type nobody knows',
      spec({ webhooks: [hook({ type: 'confirm' })] }),
      'spec.analysis.webhooks[0].type: ',
    ],
    [
      'a hook that is no URL',
      spec({ webhooks: [hook({ url: 'gate:8080' })] }),
      'spec.analysis.webhooks[0].url: must be a URL of http or https without a user',
    ],
    [
      'a password in a URL',
      spec({ webhooks: [hook({ url: 'http://me:word@gate/' })] }),
      'spec.analysis.webhooks[0].url: must be a URL of http or https without a user',
    ],
    [
      'another scheme',
      spec({ webhooks: [hook({ url: 'file:///etc/passwd' })] }),
      'spec.analysis.webhooks[0].url: must be a URL',
    ],
    [
      'a hook that may take for ever',
      spec({ webhooks: [hook({ timeout: '11m' })] }),
      'spec.analysis.webhooks[0].timeout: must be a positive duration of at most "10m"',
    ],
    [
      'a hook that may take what is no time',
      spec({ webhooks: [hook({ timeout: 'long' })] }),
      'spec.analysis.webhooks[0].timeout: must be a positive duration such as',
    ],
    [
      'two hooks of one name',
      spec({ webhooks: [hook(), hook()] }),
      'spec.analysis.webhooks[1].name: "gate" is there already; keep one entry',
    ],
    [
      'two alerts of one name',
      spec({
        alerts: [
          { name: 'a', ...provider },
          { name: 'a', ...provider },
        ],
      }),
      'spec.analysis.alerts[1].name: "a" is there already',
    ],
    ['an alert to nobody', spec({ alerts: [{ name: 'a' }] }), 'spec.analysis.alerts[0].providerRef: '],
    [
      'a pause after a step that there is not',
      spec({ pauses: [{ afterStep: 3 }] }),
      'spec.analysis.pauses[0].afterStep: there are 2 steps; write at most 2',
    ],
    [
      'two pauses after one step',
      spec({ pauses: [{ afterStep: 1 }, { afterStep: 1 }] }),
      'spec.analysis.pauses[1].afterStep: "1" is there already',
    ],
    [
      'a window without a check',
      spec({ rollbackWindow: '5s' }),
      'spec.analysis.rollbackWindow: "5s" is shorter than spec.analysis.interval (10s)',
    ],
    [
      'a dependency twice',
      spec({}, { dependsOn: [{ name: 'a' }, { name: 'a' }] }),
      'spec.dependsOn[1].name: "a" is there already',
    ],
  ])('must not have %s', (_, given, message) => {
    expect(validateCanary(given)).toEqual([expect.stringContaining(message)]);
  });
});

test('a command that is none is refused, and one that is passes', () => {
  const annotated = (value: string) => commandProblems({ annotations: { 'canary.heddle.dev/command': value } });
  expect(['promote', 'abort', 'retry', 'pause', 'resume', 'promote/5d9f8c'].flatMap(annotated)).toEqual([]);
  expect(commandProblems({})).toEqual([]);
  expect(annotated('ship-it')).toEqual([
    expect.stringContaining(
      'metadata.annotations[canary.heddle.dev/command]: "ship-it" is no command; write one of promote, abort',
    ),
  ]);
});

test('a Canary that would wait for itself is refused with the way round', () => {
  const base = {
    metadata: { name: 'base', namespace: 'shop' },
    spec: canarySpec.parse(spec({}, { dependsOn: [{ name: 'web' }] })),
  } as Canary;
  const web = canarySpec.parse(spec({}, { dependsOn: [{ name: 'other' }, { name: 'base' }] }));
  const problems = cycleProblems('shop', 'web', web, (key) => (key === 'shop/base' ? base : undefined));
  expect(problems).toEqual([
    'spec.dependsOn[1]: shop/web depends on shop/base depends on shop/web, so none could go first; take one out',
  ]);
});

test.each(['control.yaml', 'alerts.yaml'])('the sample %s is taken', (file) => {
  const text = readFileSync(join(import.meta.dirname, '../config/samples/canary', file), 'utf8');
  const objects = parseAllDocuments(text).map((document) => document.toJS() as { kind: string; spec?: unknown });
  const judges = { Canary: validateCanary, AlertProvider: validateAlertProvider };
  const judged = objects.flatMap(({ kind, spec }) =>
    kind in judges ? [judges[kind as keyof typeof judges](spec)] : [],
  );
  expect(judged.length).toBeGreaterThan(0);
  expect(judged.flat()).toEqual([]);
});
