import { describe, expect, test } from '@jest/globals';
import type { HttpRoute } from '../../api/http-route.ts';
import type { HttpRule } from './route-rule.ts';
import { SETTINGS, virtualService } from './testing/objects.ts';
import { readVirtualService } from './virtual-service-facts.ts';
import { buildHttpRule } from './virtual-service-http.ts';

const A = 'a.shop.svc.cluster.local';
const B = 'b.shop.svc.cluster.local';
const EMPTY = { set: [], add: [], remove: [] };

/** The rule that proxies follow, with one destination unless told otherwise. */
function read(route: HttpRoute): HttpRule | undefined {
  const answers = route.redirect !== undefined || route.directResponse !== undefined;
  const http: HttpRoute = answers ? route : { route: [{ destination: { host: 'a' } }], ...route };
  const facts = readVirtualService(SETTINGS, virtualService('shop/v', { hosts: ['a'], http: [http] }));
  expect(facts.problems).toEqual([]);
  const [rule] = facts.http;
  if (rule === undefined || rule.action.kind === 'delegate') return undefined;
  return buildHttpRule(rule.name, rule.matches, rule.action, rule.settings);
}

describe('an HTTP rule', () => {
  test('has what it says and nothing else', () => {
    expect(read({ name: 'all' })).toEqual({
      name: 'all',
      matches: [],
      action: { kind: 'forward', backends: [{ hostname: A, weight: 1 }] },
      mirrors: [],
    });
  });

  test.each<[string, HttpRoute['route'], unknown[]]>([
    ['a short name is a Service of the namespace', [{ destination: { host: 'A' } }], [{ hostname: A, weight: 1 }]],
    [
      'port and subset are taken over',
      [{ destination: { host: 'a', subset: 'v1', port: { number: 8080 } } }],
      [{ hostname: A, subset: 'v1', port: 8080, weight: 1 }],
    ],
    ['an empty subset is none', [{ destination: { host: 'a', subset: '' } }], [{ hostname: A, weight: 1 }]],
    [
      'a single destination gets all whatever its weight',
      [{ destination: { host: 'a' }, weight: 0 }],
      [{ hostname: A, weight: 1 }],
    ],
    [
      'weights are relative',
      [
        { destination: { host: 'a' }, weight: 5 },
        { destination: { host: 'b' }, weight: 15 },
      ],
      [
        { hostname: A, weight: 5 },
        { hostname: B, weight: 15 },
      ],
    ],
    [
      'of several, one without weight gets nothing',
      [
        { destination: { host: 'a' }, weight: 5 },
        { destination: { host: 'b' } },
        { destination: { host: 'c' }, weight: 0 },
      ],
      [{ hostname: A, weight: 5 }],
    ],
    [
      'headers of a destination stay with it',
      [{ destination: { host: 'a' }, headers: { request: { set: { x: '1' } } } }],
      [{ hostname: A, weight: 1, headers: { request: { set: [['x', '1']], add: [], remove: [] }, response: EMPTY } }],
    ],
  ])('destinations: %s', (_, route, backends) => {
    expect(read(route === undefined ? {} : { route })?.action).toEqual({ kind: 'forward', backends });
  });

  test.each<[string, HttpRoute, Partial<HttpRule>]>([
    ['timeout in ms', { timeout: '1m0.5s' }, { timeoutMs: 60_500 }],
    ['timeout in hours', { timeout: '1h30m' }, { timeoutMs: 5_400_000 }],
    [
      'rewrite of path and host',
      { rewrite: { uri: '/x', authority: 'b.example' } },
      { rewrite: { uri: '/x', authority: 'b.example' } },
    ],
    [
      'rewrite by regex',
      { rewrite: { uriRegexRewrite: { match: '/a/(.*)', rewrite: '/\\1' } } },
      { rewrite: { uriRegex: { match: '/a/(.*)', rewrite: '/\\1' } } },
    ],
    [
      'retries without attempts: none',
      { retries: {} },
      { retries: { attempts: 0, remoteLocalities: false, ignorePreviousHosts: true } },
    ],
    [
      'retries in full',
      {
        retries: {
          ...{ attempts: 3, perTryTimeout: '2s', retryOn: ' 5xx , 503,', backoff: '25ms' },
          ...{ retryRemoteLocalities: true, retryIgnorePreviousHosts: false },
        },
      },
      {
        retries: {
          ...{ attempts: 3, perTryTimeoutMs: 2000, retryOn: '5xx,503', backoffMs: 25 },
          ...{ remoteLocalities: true, ignorePreviousHosts: false },
        },
      },
    ],
    [
      'delay with a fraction of a per cent',
      { fault: { delay: { fixedDelay: '0.5s', percentage: { value: 0.1 } } } },
      { fault: { delay: { fixedMs: 500, percent: 0.1 } } },
    ],
    [
      'delay with the deprecated percent',
      { fault: { delay: { fixedDelay: '5s', percent: 10 } } },
      { fault: { delay: { fixedMs: 5000, percent: 10 } } },
    ],
    [
      'abort by HTTP status',
      { fault: { abort: { httpStatus: 555, percentage: { value: 100 } } } },
      { fault: { abort: { httpStatus: 555, percent: 100 } } },
    ],
    [
      'abort by gRPC status, by number',
      { fault: { abort: { grpcStatus: 'UNAVAILABLE', percentage: { value: 1 } } } },
      { fault: { abort: { grpcStatus: 14, percent: 1 } } },
    ],
    [
      'of two faults, one without a percentage meets no request',
      { fault: { delay: { fixedDelay: '5s' }, abort: { httpStatus: 500, percentage: { value: 1 } } } },
      { fault: { abort: { httpStatus: 500, percent: 1 } } },
    ],
    ['a mirror gets all', { mirror: { host: 'b' } }, { mirrors: [{ hostname: B, percent: 100 }] }],
    [
      'a mirror gets its percentage',
      { mirror: { host: 'b', subset: 'v2' }, mirrorPercentage: { value: 0.5 } },
      { mirrors: [{ hostname: B, subset: 'v2', percent: 0.5 }] },
    ],
    [
      'a mirror gets its deprecated percent',
      { mirror: { host: 'b' }, mirrorPercent: 7 },
      { mirrors: [{ hostname: B, percent: 7 }] },
    ],
    ['a mirror of 0 % is none', { mirror: { host: 'b' }, mirrorPercentage: {} }, { mirrors: [] }],
    [
      'several mirrors',
      {
        mirrors: [
          { destination: { host: 'b' }, percentage: { value: 10 } },
          { destination: { host: 'c' } },
          { destination: { host: 'd' }, percentage: { value: 0 } },
        ],
      },
      {
        mirrors: [
          { hostname: B, percent: 10 },
          { hostname: 'c.shop.svc.cluster.local', percent: 100 },
        ],
      },
    ],
    [
      'headers of requests and responses',
      { headers: { request: { add: { a: '1' }, remove: ['r'] }, response: { set: { constructor: 'x' } } } },
      {
        headers: {
          request: { set: [], add: [['a', '1']], remove: ['r'] },
          response: { set: [['constructor', 'x']], add: [], remove: [] },
        },
      },
    ],
    [
      'CORS in full',
      {
        corsPolicy: {
          ...{ allowOrigins: [{ prefix: 'https://a' }], allowMethods: ['GET'], allowHeaders: ['x-a'] },
          ...{ exposeHeaders: ['x-b'], maxAge: '24h', allowCredentials: false, unmatchedPreflights: 'IGNORE' },
        },
      },
      {
        cors: {
          ...{ allowOrigins: [{ kind: 'prefix', value: 'https://a' }], allowMethods: ['GET'], allowHeaders: ['x-a'] },
          ...{ exposeHeaders: ['x-b'], maxAgeMs: 86_400_000, allowCredentials: false, unmatchedPreflights: 'IGNORE' },
        },
      },
    ],
    [
      'CORS with the deprecated allowOrigin',
      { corsPolicy: { allowOrigin: ['*'], unmatchedPreflights: 'UNSPECIFIED' } },
      {
        cors: { allowOrigins: [{ kind: 'exact', value: '*' }], allowMethods: [], allowHeaders: [], exposeHeaders: [] },
      },
    ],
  ])('%s', (_, route, expected) => {
    const { name: _name, matches: _matches, action: _action, ...rest } = read(route) ?? { mirrors: [] };
    expect(rest).toEqual({ mirrors: [], ...expected });
  });

  test('a fault without a percentage is none', () => {
    expect(read({ fault: { abort: { httpStatus: 500 } } })).toEqual(read({}));
  });

  test.each<[string, HttpRoute, unknown]>([
    ['a redirect is 301', { redirect: { uri: '/x' } }, { kind: 'redirect', redirect: { uri: '/x', code: 301 } }],
    [
      'a redirect in full',
      { redirect: { authority: 'b.example', scheme: 'https', port: 8443, redirectCode: 308 } },
      { kind: 'redirect', redirect: { authority: 'b.example', scheme: 'https', port: 8443, code: 308 } },
    ],
    [
      'a redirect that derives the port',
      { redirect: { authority: 'b.example', derivePort: 'FROM_REQUEST_PORT' } },
      { kind: 'redirect', redirect: { authority: 'b.example', port: 'FROM_REQUEST_PORT', code: 301 } },
    ],
    ['an answer without body', { directResponse: { status: 418 } }, { kind: 'respond', status: 418 }],
    [
      'an answer with text',
      { directResponse: { status: 200, body: { string: 'hi' } } },
      { kind: 'respond', status: 200, body: 'hi' },
    ],
    [
      'an answer with bytes',
      { directResponse: { status: 200, body: { bytes: '/+8=' } } },
      { kind: 'respond', status: 200, body: new Uint8Array([255, 239]) },
    ],
  ])('%s', (_, route, action) => {
    expect(read(route)?.action).toEqual(action);
  });

  test('an answer of the proxy has no timeout, retries or mirrors', () => {
    const rule = read({
      directResponse: { status: 200 },
      timeout: '1s',
      retries: { attempts: 1 },
      mirror: { host: 'b' },
    });
    expect(rule).toEqual({ name: '', matches: [], action: { kind: 'respond', status: 200 }, mirrors: [] });
  });
});
