import { describe, expect, test } from '@jest/globals';
import type { AuthorizationOperation, AuthorizationSource } from './authorization-policy.ts';
import { httpOnlyFields, judgeAuthorizationPolicy } from './authorization-policy-judgement.ts';

const errorsOf = (spec: unknown): string[] =>
  judgeAuthorizationPolicy(spec).errors.map(({ field, message }) => `${field} ${message}`);
const from = (source: unknown, more = {}) => ({ ...more, rules: [{ from: [{ source }] }] });
const to = (operation: unknown) => ({ rules: [{ to: [{ operation }] }] });
const when = (condition: unknown, more = {}) => ({ ...more, rules: [{ when: [condition] }] });
const CUSTOM = { action: 'CUSTOM', provider: { name: 'a' } };

describe('AuthorizationPolicy', () => {
  test.each([
    ['nothing', {}],
    ['null for nothing', { selector: null, rules: null, action: null }],
    ['an empty rule', { rules: [{}] }],
    ['a selector', { selector: { matchLabels: { app: 'a' } } }],
    ['a Service', { targetRefs: [{ kind: 'Service', name: 'a' }] }],
    ['a Service by one ref, of the group that it is in', { targetRef: { group: 'core', kind: 'Service', name: 'a' } }],
    ['AUDIT', { action: 'AUDIT', rules: [{}] }],
    ['CUSTOM', { ...CUSTOM, ...to({ paths: ['/a'] }) }],
    ['who calls', from({ principals: ['*'], notNamespaces: ['a*'], trustDomains: ['*.b'] })],
    ['accounts', from({ serviceAccounts: ['a', 'b/c'], notServiceAccounts: ['d'], ipBlocks: ['::1', '10.0.0.0/8'] })],
    [
      'what is called',
      to({ hosts: ['*.a'], ports: ['80'], methods: ['GET'], paths: ['/a/{*}', '*b'], notPaths: ['/c*'] }),
    ],
    ['conditions', when({ key: 'request.headers[A]', values: ['b'], notValues: ['c'] })],
    ['values of odd characters', to({ paths: ['/"\'[(\\', '/ä☃', '/\u0001'] })],
    ['a value of 8 KiB', to({ paths: [`/${'a'.repeat(8191)}`] })],
  ])('takes %s', (_, spec) => {
    expect(errorsOf(spec)).toEqual([]);
    expect(judgeAuthorizationPolicy(spec).spec).toBeDefined();
  });

  test.each([
    [{ action: 'allow' }, 'spec.action must be one of ALLOW, DENY, AUDIT, CUSTOM'],
    [{ rules: {} }, 'spec.rules must be an array'],
    [{ selector: { matchLabels: { 'a b': 'c' } } }, 'spec.selector.matchLabels[a b] must be a label key'],
    [{ action: 'CUSTOM', rules: [{}] }, 'spec.provider.name must be set with action CUSTOM'],
    [CUSTOM, 'spec.rules must have a rule with action CUSTOM'],
    [{ provider: { name: 'a' } }, 'spec.provider must not be set with action ALLOW; write CUSTOM'],
    [
      { targetRef: { kind: 'Service', name: 'a' }, targetRefs: [{ kind: 'Service', name: 'b' }] },
      'spec.targetRef must not be set beside targetRefs',
    ],
    [{ selector: {}, targetRefs: [{ kind: 'Service', name: 'a' }] }, 'spec.selector must not be set beside targetRefs'],
    [{ targetRefs: [{ kind: 'Gateway', name: 'a' }] }, 'spec.targetRefs[0].kind must be Service, and is "Gateway"'],
    [{ targetRefs: [{ group: 'b', kind: 'Service', name: 'a' }] }, 'spec.targetRefs[0].group must be "" for a Service'],
    [
      { targetRef: { kind: 'Service', name: 'a b' } },
      'spec.targetRef.name must be the name of a Service, and is "a b"',
    ],
    [{ targetRefs: [{ kind: 'Service', name: 'a', namespace: 'b' }] }, 'spec.targetRefs[0].namespace must be left out'],
    [{ rules: [{ from: [] }] }, 'spec.rules[0].from must have a source, or be left out'],
    [{ rules: [{ to: [] }] }, 'spec.rules[0].to must have an operation, or be left out'],
    [{ rules: [{ from: [{}] }] }, 'spec.rules[0].from[0].source must have one field at least'],
    [from({ principals: [] }), 'spec.rules[0].from[0].source must have one field at least'],
    [{ rules: [{}, { to: [{}] }] }, 'spec.rules[1].to[0].operation must have one field at least'],
    [from({ principals: ['a', ''] }), 'spec.rules[0].from[0].source.principals[1] must not be empty'],
    [from({ serviceAccounts: ['a/b/c'] }), 'source.serviceAccounts[0] must be NAMESPACE/NAME or NAME'],
    [from({ notServiceAccounts: ['a*'] }), 'source.notServiceAccounts[0] must be NAMESPACE/NAME or NAME'],
    [from({ serviceAccounts: ['a'], namespaces: ['b'] }), 'source.serviceAccounts must not be set beside principals'],
    [from({ ipBlocks: ['10.0.0.0/33'] }), 'source.ipBlocks[0] must be an address or a block such as "10.0.0.0/8"'],
    [from({ notRemoteIpBlocks: ['a'] }), 'source.notRemoteIpBlocks[0] must be an address or a block'],
    [from({ principals: ['a'] }, CUSTOM), 'source.principals must not be used with action CUSTOM'],
    [from({ notRequestPrincipals: ['a'] }, CUSTOM), 'source.notRequestPrincipals must not be used with action CUSTOM'],
    [to({ ports: ['http'] }), 'spec.rules[0].to[0].operation.ports[0] must be a port from 1 to 65535, and is "http"'],
    [to({ notPorts: ['65536'] }), 'operation.notPorts[0] must be a port from 1 to 65535'],
    [to({ paths: ['a/{*}'] }), 'operation.paths[0] must begin with "/"'],
    [to({ notPaths: ['/{**}/{**}'] }), 'operation.notPaths[0] must have {**} once'],
    [to({ hosts: ['a'.repeat(8193)] }), 'operation.hosts[0] must have at most 8192 bytes, and has 8193'],
    [from({ namespaces: ['ä'.repeat(4097)] }), 'source.namespaces[0] must have at most 8192 bytes, and has 8194'],
    [when({ key: 'request.path', values: ['a'] }), 'spec.rules[0].when[0].key must be an attribute such as'],
    [when({ key: 'request.headers[a\n]', values: ['a'] }), 'spec.rules[0].when[0].key must be an attribute such as'],
    [when({ values: ['a'] }), 'spec.rules[0].when[0].key must be a string, and is missing'],
    [when({ key: 'source.ip' }), 'spec.rules[0].when[0] must have values or notValues'],
    [when({ key: 'source.ip', notValues: ['a'] }), 'when[0].notValues[0] must be an address or a block'],
    [when({ key: 'request.headers[a]', values: [''] }), 'when[0].values[0] must not be empty'],
    [when({ key: 'request.headers[a]', values: ['b'.repeat(9000)] }), 'when[0].values[0] must have at most 8192 bytes'],
    [when({ key: `request.headers[${'a'.repeat(9000)}]`, values: ['b'] }), 'when[0].key must have at most 8192 bytes'],
    [when({ key: 'destination.port', values: ['x'] }), 'when[0].values[0] must be a port'],
    [
      when({ key: 'source.namespace', values: ['a'] }, CUSTOM),
      'when[0].key must not be "source.namespace" with action',
    ],
  ])('refuses %j and says what to do', (spec, message) => {
    expect(errorsOf(spec).join('\n')).toContain(message);
    expect(judgeAuthorizationPolicy(spec).spec).toBeUndefined();
  });

  test.each([
    [{}, 'everything is denied'],
    [{ action: 'DENY' }, 'does nothing'],
    [to({ paths: ['/a?b'] }), 'never matches: paths are compared without the query'],
  ])('warns of %j', (spec, message) => {
    const { errors, warnings } = judgeAuthorizationPolicy(spec);
    expect(errors).toEqual([]);
    expect(warnings.map((warning) => warning.message).join()).toContain(message);
  });

  test('names what only requests have', () => {
    const source: AuthorizationSource = { requestPrincipals: ['a'], principals: ['b'], notRequestPrincipals: [] };
    const operation: AuthorizationOperation = { ports: ['80'], notPaths: ['/'], hosts: ['a'] };
    const conditions = ['request.headers[a]', 'source.ip', 'request.auth.claims[b]'].map((key) => ({ key }));
    const rule = { from: [{ source }, {}], to: [{ operation }, {}], when: conditions };
    expect(httpOnlyFields(rule)).toEqual([
      'requestPrincipals',
      'hosts',
      'notPaths',
      'request.headers[a]',
      'request.auth.claims[b]',
    ]);
    expect(httpOnlyFields({})).toEqual([]);
  });
});
