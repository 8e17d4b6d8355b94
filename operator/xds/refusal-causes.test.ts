import { expect, test } from '@jest/globals';
import type { Carrier } from './rbac.ts';
import { type EarlyRefusal, refusalCauses } from './refusal-causes.ts';

type Shape = Parameters<typeof refusalCauses>[0];

const ref = (kind: string, name: string) => ({ kind, namespace: 'shop', name });
const authorization = (name: string, action: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM', more: object = {}) => ({
  rules: { ref: ref('AuthorizationPolicy', name), action, dryRun: false, rules: [], digest: name, ...more },
});
const limits = (name: string, scope: 'Local' | 'Global', dryRun = false) => ({
  rules: {
    ref: ref('RateLimitPolicy', name),
    spec: { limits: [{ scope, requests: 1, unit: 'Second' as const }], dryRun },
    digest: name,
  },
});
const shape = (more: object): Shape => ({ authorization: [], tokens: [], rateLimits: [], ...more }) as unknown as Shape;
const decided = (of: Shape, carrier: 'http' | 'tcp' = 'http', port: number | undefined = 80) =>
  refusalCauses(of, port, carrier).map(({ decidedBy }) => decidedBy);

test('where nothing can be refused there is no cause', () => {
  const policies = [authorization('audit', 'AUDIT'), authorization('dry', 'DENY', { dryRun: true })];
  expect(decided(shape({ authorization: policies, rateLimits: [limits('dry', 'Local', true)] }))).toEqual([]);
});

test('each cause names its policies, and no more than five', () => {
  const allows = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => authorization(name, 'ALLOW'));
  const all = shape({
    authorization: [authorization('no', 'DENY'), ...allows],
    tokens: [{ rules: { ref: ref('RequestAuthentication', 'users'), rules: [], digest: '' }, keys: [] }],
    rateLimits: [limits('own', 'Local'), limits('all', 'Global')],
  });
  expect(decided(all)).toEqual([
    'AuthorizationPolicy DENY shop/no',
    'no ALLOW policy matched: AuthorizationPolicy shop/a, shop/b, shop/c, shop/d, shop/e and 2 more',
    'RequestAuthentication shop/users',
    'RateLimitPolicy shop/own',
    'RateLimitPolicy shop/all',
  ]);
  expect(decided(all, 'tcp')).toHaveLength(2);
});

test('CUSTOM without anybody to ask is a DENY', () => {
  expect(decided(shape({ authorization: [authorization('ask', 'CUSTOM')] }))).toEqual([
    'AuthorizationPolicy DENY shop/ask',
  ]);
});

test('a policy about other ports is no cause here', () => {
  const other = shape({ authorization: [{ ...authorization('no', 'DENY'), ports: [81] }] });
  expect(decided(other)).toEqual([]);
  expect(decided(other, 'http', 81)).toHaveLength(1);
});

const counted = (of: Shape, ...rest: [Carrier, EarlyRefusal?]) =>
  refusalCauses(of, 80, ...rest).flatMap(({ reason, counted: all }) =>
    all.map(({ refs, signs }) => [reason, refs.map(({ name }) => name).join(), signs.early ?? signs.details.join()]),
  );

test('each DENY is counted by itself, and policies of which Envoy tells none together', () => {
  const policies = ['a', 'b'].flatMap((name) => [authorization(name, 'DENY'), authorization(`${name}2`, 'ALLOW')]);
  const all = shape({ authorization: policies, rateLimits: [limits('own', 'Local')] });
  const details = 'rbac_access_denied_matched_policy[';
  expect(counted(all, 'http')).toEqual([
    ['deny', 'a', `${details}ns[shop]-policy[a]-rule[`],
    ['deny', 'b', `${details}ns[shop]-policy[b]-rule[`],
    ['no_allow_matched', 'a2,b2', `${details}none]`],
    ['local_limit', 'own', 'local_rate_limited'],
  ]);
});

test('a connection that is refused early is the ALLOW policies’ doing, but for a DENY that is about every one', () => {
  const some = authorization('some', 'DENY', { rules: [{ from: [{ source: { namespaces: ['a'] } }] }] });
  const allow = authorization('allow', 'ALLOW');
  const early = (of: object[], how: EarlyRefusal) =>
    counted(shape({ authorization: of }), 'tcp', how).filter(([, , sign]) => sign === how);
  expect(early([some, allow], 'handshake')).toEqual([['no_allow_matched', 'allow', 'handshake']]);
  expect(early([some, allow], 'nowhere')).toEqual([['no_allow_matched', 'allow', 'nowhere']]);
  const every = authorization('every', 'DENY', { rules: [{}] });
  expect(early([some, every, allow], 'nowhere')).toEqual([['deny', 'every', 'nowhere']]);
});
