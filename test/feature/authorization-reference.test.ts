import { describe, expect, test } from '@jest/globals';
import type {
  AuthorizationOperation,
  AuthorizationPolicy,
  AuthorizationPolicySpec,
} from '../../api/authorization-policy.ts';
import { type CallFacts, decideByReference, type HttpFacts } from './support/authorization-reference.ts';
import { isUnclear, normalisedPath } from './support/path-normalisation.ts';

/** Examples of Istio's documentation, by which the reference itself is held. */

const WORKLOAD = {
  namespace: 'foo',
  labels: { app: 'httpbin' },
  services: new Map([['httpbin', [8080]]]),
  rootNamespace: 'istio-system',
};

function policy(spec: AuthorizationPolicySpec, namespace = 'foo', dryRun = false): AuthorizationPolicy {
  const annotations = dryRun ? { 'istio.io/dry-run': 'true' } : {};
  return { apiVersion: '', kind: '', metadata: { name: 'p', namespace, annotations }, spec };
}

function call(http?: Partial<HttpFacts>, more: Partial<CallFacts> = {}): CallFacts {
  const addresses = { sourceIp: '10.1.2.3', remoteIp: '10.1.2.3', destinationIp: '10.9.9.9', port: 8080 };
  const facts = {
    method: 'GET',
    host: 'a.example',
    path: '/',
    unclear: false,
    headers: new Map<string, string>(),
    ...http,
  };
  return { ...addresses, principal: 'cluster.local/ns/default/sa/sleep', ...(http && { http: facts }), ...more };
}

const allowed = (policies: readonly AuthorizationPolicy[], of: CallFacts): boolean =>
  decideByReference(policies, WORKLOAD, of).allowed;

describe('the reference of authorization', () => {
  test('allows all without a policy, nothing with one that has no rules, and all with an empty rule', () => {
    expect(allowed([], call({}))).toBe(true);
    expect(allowed([policy({})], call({}))).toBe(false);
    expect(allowed([policy({ rules: [{}] })], call({}))).toBe(true);
    expect(allowed([policy({}), policy({ rules: [{}] })], call({}))).toBe(true);
  });

  test('asks who denies first, and leaves AUDIT and dry runs out', () => {
    const all = { rules: [{}] };
    expect(allowed([policy(all), policy({ action: 'DENY', ...all })], call({}))).toBe(false);
    expect(allowed([policy({ action: 'AUDIT', ...all })], call({}))).toBe(true);
    expect(allowed([policy({ action: 'DENY', ...all }, 'foo', true)], call({}))).toBe(true);
    expect(allowed([policy({}, 'foo', true)], call({}))).toBe(true);
  });

  test('knows whom a policy is about', () => {
    const deny = (spec: AuthorizationPolicySpec, namespace?: string) =>
      !allowed([policy({ action: 'DENY', rules: [{}], ...spec }, namespace)], call({}));
    expect(deny({}, 'istio-system')).toBe(true);
    expect(deny({}, 'bar')).toBe(false);
    expect(deny({ selector: { matchLabels: { app: 'httpbin' } } })).toBe(true);
    expect(deny({ selector: { matchLabels: { app: 'other' } } }, 'istio-system')).toBe(false);
    expect(deny({ targetRefs: [{ kind: 'Service', name: 'httpbin' }] })).toBe(true);
    expect(deny({ targetRefs: [{ kind: 'Service', name: 'other' }] })).toBe(false);
  });

  test('takes one of the sources and operations, and all of the conditions', () => {
    const rules = [
      {
        from: [{ source: { principals: ['cluster.local/ns/default/sa/sleep'] } }, { source: { namespaces: ['test'] } }],
        to: [
          { operation: { methods: ['GET'], paths: ['/info*'] } },
          { operation: { methods: ['POST'], paths: ['/data'] } },
        ],
        when: [{ key: 'request.headers[version]', values: ['v1', 'v2'] }],
      },
    ];
    const headers = new Map([['version', 'v1']]);
    const of = (http: Partial<HttpFacts>, principal?: string) =>
      allowed([policy({ rules })], call({ headers, ...http }, principal === undefined ? {} : { principal }));
    expect(of({ path: '/info/a' })).toBe(true);
    expect(of({ path: '/info/a', method: 'POST' })).toBe(false);
    expect(of({ path: '/data', method: 'POST' }, 'b/ns/test/sa/x')).toBe(true);
    expect(of({ path: '/data', method: 'POST' }, 'b/ns/test2/sa/x')).toBe(false);
    expect(of({ path: '/info', headers: new Map() })).toBe(false);
    expect(of({ path: '/info', headers: new Map([['version', 'v1,v2']]) })).toBe(false);
  });

  test('of TCP, denies without what only HTTP has, and allows nothing by it', () => {
    const rules = [{ to: [{ operation: { methods: ['POST'], ports: ['8080'] } }] }];
    expect(allowed([policy({ action: 'DENY', rules })], call())).toBe(false);
    expect(allowed([policy({ action: 'DENY', rules })], call(undefined, { port: 9000 }))).toBe(true);
    expect(allowed([policy({ rules })], call())).toBe(false);
    expect(allowed([policy({ rules: [{ to: [{ operation: { ports: ['8080'] } }] }] })], call())).toBe(true);
  });

  test('without mutual TLS there is nobody to be named, and so nobody that is not', () => {
    const { principal: _, ...plain } = call({});
    const of = (source: object) => allowed([policy({ rules: [{ from: [{ source }] }] })], plain);
    expect(of({ principals: ['*'] })).toBe(false);
    expect(of({ notPrincipals: ['*'] })).toBe(true);
    expect(of({ notNamespaces: ['test'] })).toBe(true);
  });

  test.each([
    ['/foo/{*}', '/foo/bar', true],
    ['/foo/{*}', '/foo/bar/baz', false],
    ['/foo/{*}', '/foo/', false],
    ['/foo/{**}/', '/foo/bar/', true],
    ['/foo/{**}/', '/foo/bar/baz/', true],
    ['/foo/{**}/', '/foo//', true],
    ['/foo/{**}/', '/foo/bar', false],
    ['/{*}/bar/{**}', '/foo/bar/', true],
    ['/{*}/bar/{**}', '/foo/bar', false],
  ])('the template %s and the path %s: %s', (template, path, expected) => {
    expect(allowed([policy({ rules: [{ to: [{ operation: { paths: [template] } }] }] })], call({ path }))).toBe(
      expected,
    );
  });

  test.each([
    ['/some%2fdata/%61%62%63', '/some%2fdata/abc'],
    ['/some\\data', '/some/data'],
    ['/public/./data/abc/../xyz', '/public/data/xyz'],
    ['/foo?v=1', '/foo'],
    ['/a/%2e%2E/b', '/b'],
    ['/a%252fb', '/a%252fb'],
    ['/../a/..', '/'],
    ['//a/.', '//a/'],
    ['/a/..;x=y/b', '/b'],
    ['/%6%31dmin', '/%2561dmin'],
    ['/a%2%46b', '/a%252Fb'],
    ['/a%+2Fb%', '/a%+2Fb%'],
    ['/%%361', '/%2561'],
    ['/%zz%36', '/%zz6'],
    ['/x/%2e%2e;/admin', '/x/..;/admin'],
  ])('%s is normalised to %s', (target, path) => {
    expect(normalisedPath(target)).toBe(path);
  });

  test.each([
    ['/x/..;/admin', true],
    ['/x/.;v=1/admin', true],
    ['/x/..%3B/admin', true],
    ['/x/a..;/admin', false],
    ['/a;v=1/b', false],
    ['/%2561dmin', false],
  ])(
    'that servers may take %s for another path is %s: who denies paths denies it then, and who allows some does not',
    (path, unclear) => {
      expect(isUnclear(path)).toBe(unclear);
      const to = (operation: AuthorizationOperation) => [{ to: [{ operation }] }];
      const http = call({ path, unclear });
      for (const operation of [{ paths: ['/other'] }, { notPaths: [path] }]) {
        expect(allowed([policy({ action: 'DENY', rules: to(operation) })], http)).toBe(!unclear);
      }
      for (const operation of [{ paths: ['*'] }, { notPaths: ['/other'] }]) {
        expect(allowed([policy({ rules: to(operation) })], http)).toBe(!unclear);
      }
      expect(allowed([policy({ rules: to({ methods: ['GET'] }) })], http)).toBe(true);
    },
  );
});
