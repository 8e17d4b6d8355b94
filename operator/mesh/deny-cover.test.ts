import { expect, test } from '@jest/globals';
import type { AuthorizationRule } from '../../api/authorization-policy.ts';
import { deniesAll } from './deny-cover.ts';

const rules = (action: 'ALLOW' | 'DENY', list: AuthorizationRule[], namespace = 'shop') => ({
  ref: { kind: 'AuthorizationPolicy', namespace, name: action.toLowerCase() },
  action,
  dryRun: false,
  rules: list,
  digest: '',
});
const from = (...sources: object[]): AuthorizationRule => ({ from: sources.map((source) => ({ source })) });
const to = (...operations: object[]): AuthorizationRule => ({ to: operations.map((operation) => ({ operation })) });
const when = (...conditions: NonNullable<AuthorizationRule['when']>): AuthorizationRule => ({ when: conditions });

test.each<[string, boolean, AuthorizationRule[], AuthorizationRule[]]>([
  ['an empty rule denies everything', true, [{}], [from({ principals: ['a'] })]],
  ['the same rule', true, [to({ paths: ['/a'] })], [to({ paths: ['/a'] })]],
  ['more values', true, [to({ paths: ['/b', '/a'] })], [to({ paths: ['/a'] })]],
  ['fewer values', false, [to({ paths: ['/a'] })], [to({ paths: ['/a', '/b'] })]],
  ['a wider pattern', true, [to({ paths: ['/a*'] })], [to({ paths: ['/a/*', '/ab'] })]],
  ['a narrower pattern', false, [to({ paths: ['/a/*'] })], [to({ paths: ['/a*'] })]],
  ['a pattern of the other end', false, [to({ hosts: ['*.example'] })], [to({ hosts: ['a.exa*'] })]],
  ['any value, of a field that is asked for', true, [from({ principals: ['*'] })], [from({ principals: ['a*'] })]],
  ['any value, of a field that is not', false, [from({ principals: ['*'] })], [from({ namespaces: ['a'] })]],
  ['a field less', true, [to({ paths: ['/a'] })], [to({ paths: ['/a'], methods: ['GET'] })]],
  ['a field more', false, [to({ paths: ['/a'], methods: ['GET'] })], [to({ paths: ['/a'] })]],
  ['all but less', true, [to({ notPaths: ['/a'] })], [to({ notPaths: ['/a', '/b'] })]],
  ['all but more', false, [to({ notPaths: ['/a', '/b'] })], [to({ notPaths: ['/a'] })]],
  [
    'each rule by some other',
    true,
    [to({ ports: ['1'] }), from({})],
    [to({ ports: ['1'] }), from({ principals: ['a'] })],
  ],
  ['one rule by none', false, [to({ ports: ['1'] })], [to({ ports: ['1'] }), to({ ports: ['2'] })]],
  ['a condition less', true, [from({})], [when({ key: 'source.ip', values: ['1.1.1.1'] })]],
  [
    'a condition with more values',
    true,
    [when({ key: 'source.ip', values: ['1.1.1.1', '2.2.2.2'] })],
    [when({ key: 'source.ip', values: ['1.1.1.1'] })],
  ],
  ['a condition more', false, [when({ key: 'source.ip', values: ['1.1.1.1'] })], [{}]],
  [
    'a condition of what must not be, of which lists may have one and not another',
    false,
    [when({ key: 'request.headers[a]', notValues: ['x'] })],
    [when({ key: 'request.headers[a]', notValues: ['x'] })],
  ],
  ['an ALLOW that allows nothing anyway', false, [{}], []],
])('%s: %s', (_, expected, deny, allow) => {
  expect(deniesAll(rules('DENY', deny), rules('ALLOW', allow))).toBe(expected);
});

test('a ServiceAccount without its namespace is of the policy’s own', () => {
  const account = [from({ serviceAccounts: ['ui'] })];
  expect(deniesAll(rules('DENY', account), rules('ALLOW', account))).toBe(true);
  expect(deniesAll(rules('DENY', account, 'heddle-system'), rules('ALLOW', account))).toBe(false);
});
