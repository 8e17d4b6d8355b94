import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { envoyBinary } from '../../hack/envoy/binary.ts';
import type { HttpRule } from '../../operator/mesh/route-rule.ts';
import type { HashPolicy } from '../../operator/xds/http-route-hashes.ts';
import { buildHttpRoutes } from '../../operator/xds/http-routes.ts';
import { arbitraryRule } from '../../operator/xds/testing/http-rule-arbitrary.ts';
import { CONTEXT } from '../../operator/xds/testing/http-rule-fixture.ts';
import { routesBootstrap } from '../../operator/xds/testing/routes-bootstrap.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'routes-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const HASH_POLICIES: readonly HashPolicy[] = [
  { kind: 'header', name: 'x-user' },
  { kind: 'query', name: 'user' },
  { kind: 'source-ip' },
  { kind: 'cookie', name: 'user', path: '/', ttlMs: 0, attributes: [['SameSite', 'Strict']] },
];

/** What Envoy has to say against the routes; '' when it takes them. */
async function objections(rules: readonly HttpRule[]): Promise<string> {
  const routes = buildHttpRoutes(rules, {
    ...CONTEXT,
    resolve: ({ hostname }) => ({
      shares: [
        { cluster: hostname, weight: 95 },
        { cluster: `${hostname}-next`, weight: 5 },
      ],
      hashPolicies: HASH_POLICIES,
    }),
  });
  const file = join(directory, 'envoy.json');
  writeFileSync(file, JSON.stringify(routesBootstrap({ port: 10_000, routes, clusters: {} })));
  const run = promisify(execFile)(await envoyBinary(), [
    ...['--mode', 'validate', '--disable-hot-restart', '-l', 'error', '-c', file],
  ]);
  return run.then(
    ({ stdout }) => (stdout.includes('OK') ? '' : stdout),
    (error: unknown) => String(error),
  );
}

test('Envoy takes the routes of every valid rule', async () => {
  // Many rules at a time, since it is starting Envoy that takes time.
  const rules = fc.array(arbitraryRule, { minLength: 1, maxLength: 150, size: 'max' });
  await fc.assert(
    fc.asyncProperty(rules, async (some) => {
      expect(await objections(some)).toBe('');
    }),
    { numRuns: 4, interruptAfterTimeLimit: 30_000 },
  );
}, 60_000);

test('that it refuses what is wrong shows that it looks', async () => {
  const bad = { fault: { abort: { httpStatus: 99, percent: 1 } } };
  const [rule] = fc.sample(arbitraryRule, 1);
  expect(await objections(rule === undefined ? [] : [{ ...rule, ...bad }])).toContain('HttpStatus');
}, 30_000);
