import { expect, test } from '@jest/globals';
import { KubeConnectionError, KubeError } from '../kube/kube-error.ts';
import { CliError } from './cli-error.ts';
import { explainFailure } from './failure.ts';

test.each([
  [new CliError('no Canary orders', 'list them'), 'error: no Canary orders\nnext: list them', 1],
  [new CliError('no YAML', undefined, 2), 'error: no YAML', 2],
  [new KubeConnectionError('ECONNREFUSED', 'refused'), 'error: the API server does not answer (refused)', 3],
  [new KubeError(403, 'Forbidden', 'may not list'), 'error: may not list\nnext: ask for the right', 3],
  [new Error('what else'), 'error: what else', 1],
])('a failure is told with what to do next and an exit code', (error, text, code) => {
  const explained = explainFailure(error);
  expect(explained.text.startsWith(text)).toBe(true);
  expect(explained.code).toBe(code);
});
