import { toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { RouteSchema } from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HttpRule } from '../mesh/route-rule.ts';
import { buildHttpRoutes } from './http-routes.ts';
import { backend, CONTEXT, headers, match, routeJson, rule } from './testing/http-rule-fixture.ts';

const routesOf = (...rules: HttpRule[]) => buildHttpRoutes(rules, CONTEXT).map(routeJson);

test('a bare rule forwards everything, without a timeout, with the retries of the mesh', () => {
  expect(routesOf(rule())).toEqual([
    {
      name: 'default',
      match: { prefix: '/' },
      route: {
        cluster: 'a',
        timeout: '0s',
        idle_timeout: '0s',
        max_stream_duration: { grpc_timeout_header_max: '0s' },
        retry_policy: expect.objectContaining({ num_retries: 2 }),
      },
    },
  ]);
});

test('rules come in their order, with a route for each match, under their names', () => {
  const uri = (value: string) => match({ uri: { kind: 'exact', value } });
  const routes = routesOf(rule({ name: 'pay', matches: [uri('/b'), uri('/a')] }), rule());
  expect(routes).toMatchObject([
    { name: 'pay', match: { path: '/b' } },
    { name: 'pay', match: { path: '/a' } },
    { name: 'default', match: { prefix: '/' } },
  ]);
});

describe('an answer of the proxy itself', () => {
  test.each<[string, HttpRule['action'], object]>([
    [
      'redirects to another path, host and scheme',
      { kind: 'redirect', redirect: { uri: '/new', authority: 'b.example', scheme: 'https', code: 308 } },
      {
        redirect: {
          path_redirect: '/new',
          host_redirect: 'b.example',
          scheme_redirect: 'https',
          response_code: 'PERMANENT_REDIRECT',
        },
      },
    ],
    [
      'redirects to a port',
      { kind: 'redirect', redirect: { port: 8443, code: 302 } },
      { redirect: { port_redirect: 8443, response_code: 'FOUND' } },
    ],
    [
      'redirects without the port that the scheme has anyway',
      { kind: 'redirect', redirect: { scheme: 'https', port: 443, code: 307 } },
      { redirect: { scheme_redirect: 'https', response_code: 'TEMPORARY_REDIRECT' } },
    ],
    [
      'redirects to the port that was asked',
      { kind: 'redirect', redirect: { authority: 'b', port: 'FROM_REQUEST_PORT', code: 303 } },
      { redirect: { host_redirect: 'b', port_redirect: 8080, response_code: 'SEE_OTHER' } },
    ],
    [
      'redirects to the default port, with 301',
      { kind: 'redirect', redirect: { authority: 'b', port: 'FROM_PROTOCOL_DEFAULT', code: 301 } },
      { redirect: { host_redirect: 'b' } },
    ],
    [
      'has text',
      { kind: 'respond', status: 418, body: 'tea' },
      { direct_response: { status: 418, body: { inline_string: 'tea' } } },
    ],
    [
      'has bytes',
      { kind: 'respond', status: 200, body: new Uint8Array([1, 2]) },
      { direct_response: { status: 200, body: { inline_bytes: 'AQI=' } } },
    ],
    ['has no body', { kind: 'respond', status: 503 }, { direct_response: { status: 503 } }],
    ['has no body where it is empty', { kind: 'respond', status: 503, body: '' }, { direct_response: { status: 503 } }],
  ])('%s', (_, action, expected) => {
    expect(routesOf(rule({ action }))).toEqual([{ name: 'default', match: { prefix: '/' }, ...expected }]);
  });

  test('has the headers of the rule', () => {
    const action = { kind: 'respond', status: 200 } as const;
    expect(routesOf(rule({ action, headers: headers({}, { set: [['x-a', '1']] }) }))).toMatchObject([
      { response_headers_to_add: [{ header: { key: 'x-a', value: '1' } }] },
    ]);
  });
});

test('the same rules give the same bytes', () => {
  const encode = () =>
    buildHttpRoutes(manyRules(20), CONTEXT).map((route) => Buffer.from(toBinary(RouteSchema, route)).toString('hex'));
  expect(encode()).toEqual(encode());
});

test('5,000 rules all have their routes, in their order', () => {
  const rules = manyRules(5000);
  const names = buildHttpRoutes(rules, CONTEXT).map(({ name }) => name);
  expect([...new Set(names)]).toEqual([...new Set(rules.map(({ name }) => name || 'default'))]);
  expect(names.length).toBeGreaterThanOrEqual(5000);
});

/** Rules that make use of most of what there is. */
function manyRules(count: number): HttpRule[] {
  return Array.from({ length: count }, (_, index) =>
    rule({
      name: `rule-${index}`,
      matches: [match({ uri: { kind: 'prefix', value: `/${index}` }, headers: [{ name: 'x-user' }] })],
      action: { kind: 'forward', backends: [backend('a', 95), backend('b', 5, headers({ set: [['x-b', '1']] }))] },
      retries: { attempts: 3, retryOn: '5xx,409', remoteLocalities: true, ignorePreviousHosts: true },
      fault: { delay: { fixedMs: 10, percent: 0.1 } },
      mirrors: [{ hostname: 'm', percent: 1 }],
    }),
  );
}
