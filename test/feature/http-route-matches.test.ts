import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { HttpMatch, HttpRule, StringMatch } from '../../operator/mesh/route-rule.ts';
import { match, rule } from '../../operator/xds/testing/http-rule-fixture.ts';
import { type RoutedEnvoy, startRoutedEnvoy } from './support/routed-envoy.ts';

const exact = (value: string): StringMatch => ({ kind: 'exact', value });
const prefix = (value: string): StringMatch => ({ kind: 'prefix', value });
const regex = (value: string): StringMatch => ({ kind: 'regex', value });

/** A rule whose answer is its own name. */
const named = (name: string, more: Partial<HttpMatch>): HttpRule =>
  rule({ name, matches: [match(more)], action: { kind: 'respond', status: 200, body: name } });

describe('requests find their rule', () => {
  let envoy: RoutedEnvoy;
  beforeAll(async () => {
    const rules = [
      named('exact', { uri: exact('/exact') }),
      named('case', { uri: prefix('/CASE'), ignoreUriCase: true }),
      named('prefix', { uri: prefix('/pre') }),
      named('regex', { uri: regex('/r[0-9]+/x') }),
      named('large regex', { uri: regex('/(large){1,30}[^/]{0,80}') }),
      named('method', { uri: exact('/m'), method: exact('PUT') }),
      named('authority', { uri: exact('/m'), authority: regex('shop\\..*') }),
      named('scheme', { uri: exact('/scheme'), scheme: exact('http') }),
      named('headers', { uri: exact('/h'), headers: [{ name: 'x-a', value: prefix('1') }, { name: 'x-b' }] }),
      named('without', { uri: exact('/h'), withoutHeaders: [{ name: 'x-c', value: exact('1') }, { name: 'x-d' }] }),
      named('query', { uri: exact('/q'), queryParams: [{ name: 'a', value: regex('[0-9]+') }, { name: 'b' }] }),
      rule({
        name: 'either',
        matches: [match({ uri: exact('/e1') }), match({ uri: exact('/e2') })],
        action: { kind: 'respond', status: 200, body: 'either' },
      }),
      rule({ action: { kind: 'respond', status: 404, body: 'none' } }),
    ];
    envoy = await startRoutedEnvoy(rules, {});
  }, 120_000);
  afterAll(() => envoy?.process.stop());

  test.each<[string, string, string, Record<string, string>]>([
    ['exact', 'GET', '/exact', {}],
    ['exact', 'GET', '/exact?a=1', {}],
    ['none', 'GET', '/exact/', {}],
    ['none', 'GET', '/EXACT', {}],
    ['case', 'GET', '/cAsE/x', {}],
    ['prefix', 'GET', '/prefixed', {}],
    ['regex', 'GET', '/r42/x?a=1', {}],
    ['none', 'GET', '/r42/x/y', {}],
    ['large regex', 'GET', '/largelarge-one', {}],
    ['method', 'PUT', '/m', {}],
    ['none', 'GET', '/m', {}],
    ['authority', 'GET', '/m', { host: 'shop.example' }],
    ['scheme', 'GET', '/scheme', {}],
    ['headers', 'GET', '/h', { 'x-a': '12', 'x-b': '', 'x-c': '1' }],
    ['none', 'GET', '/h', { 'x-a': '12', 'x-c': '1' }],
    ['without', 'GET', '/h', { 'x-a': '12' }],
    ['without', 'GET', '/h', { 'x-c': '2' }],
    ['none', 'GET', '/h', { 'x-d': 'anything' }],
    ['query', 'GET', '/q?b&a=12', {}],
    ['none', 'GET', '/q?b=1&a=x', {}],
    ['none', 'GET', '/q?a=1', {}],
    ['either', 'GET', '/e1', {}],
    ['either', 'GET', '/e2', {}],
  ])('%s for %s %s with %j', async (name, method, path, sent) => {
    expect((await envoy.call(path, { method, headers: sent })).body).toBe(name);
  });
});
