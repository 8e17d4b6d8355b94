import { describe, expect, test } from '@jest/globals';
import type { HttpRule } from '../mesh/route-rule.ts';
import type { RouteContext } from './http-route-context.ts';
import type { HashPolicy } from './http-route-hashes.ts';
import { buildHttpRoutes } from './http-routes.ts';
import { backend, CONTEXT, headers, routeJson, rule } from './testing/http-rule-fixture.ts';

function routeOf(more: Partial<HttpRule>, context: Partial<RouteContext> = {}) {
  return buildHttpRoutes([rule(more)], { ...CONTEXT, ...context }).map(routeJson)[0];
}

const to = (...backends: ReturnType<typeof backend>[]) => ({ kind: 'forward', backends }) as const;

/** Everything but 5 % of a backend's requests goes to its stable side. */
const split: Partial<RouteContext> = {
  resolve: ({ hostname }) => ({
    shares: [
      { cluster: `${hostname}-stable`, weight: 95 },
      { cluster: `${hostname}-next`, weight: 5 },
    ],
    hashPolicies: [],
  }),
};

describe('requests are divided', () => {
  test('among backends', () => {
    expect(routeOf({ action: to(backend('a', 3), backend('b', 0), backend('c', 1)) })).toMatchObject({
      route: {
        weighted_clusters: {
          clusters: [
            { name: 'a', weight: 3 },
            { name: 'c', weight: 1 },
          ],
        },
      },
    });
  });

  test('between the revisions of each, exactly', () => {
    expect(routeOf({ action: to(backend('a', 5), backend('b', 95)) }, split)).toMatchObject({
      route: {
        weighted_clusters: {
          clusters: [
            { name: 'a-stable', weight: 19 },
            { name: 'a-next', weight: 1 },
            { name: 'b-stable', weight: 361 },
            { name: 'b-next', weight: 19 },
          ],
        },
      },
    });
  });

  test('not at all where one has everything', () => {
    expect(routeOf({ action: to(backend('a', 0), backend('b', 7)) })).toHaveProperty('route.cluster', 'b');
  });

  test('so that they fail where a backend comes to nothing', () => {
    const nothing = { resolve: () => ({ shares: [], hashPolicies: [] }) };
    expect(routeOf({}, nothing)).toHaveProperty('route.cluster', 'BlackHoleCluster');
  });
});

test.each<[string, Partial<HttpRule>, object]>([
  [
    'no timeout but the deadline of gRPC',
    {},
    { timeout: '0s', max_stream_duration: { grpc_timeout_header_max: '0s' } },
  ],
  ['a new path', { rewrite: { uri: '/new' } }, { prefix_rewrite: '/new' }],
  [
    'a path rewritten by an expression',
    { rewrite: { uriRegex: { match: '^/a/(.*)', rewrite: '/\\1' } } },
    { regex_rewrite: { pattern: { regex: '^/a/(.*)' }, substitution: '/\\1' } },
  ],
  ['a new host', { rewrite: { authority: 'b.example' } }, { host_rewrite_literal: 'b.example' }],
  [
    'mirrors, unless they see nothing',
    {
      mirrors: [
        { hostname: 'm', percent: 100 },
        { hostname: 'n', percent: 0 },
        { hostname: 'o', percent: 0.001 },
      ],
    },
    {
      request_mirror_policies: [
        {
          cluster: 'm',
          runtime_fraction: { default_value: { numerator: 1_000_000, denominator: 'MILLION' } },
          disable_shadow_host_suffix_append: true,
        },
        {
          cluster: 'o',
          runtime_fraction: { default_value: { numerator: 10, denominator: 'MILLION' } },
          disable_shadow_host_suffix_append: true,
        },
      ],
    },
  ],
])('a route has %s', (_, more, expected) => {
  expect(routeOf(more)).toMatchObject({ route: expected });
});

test('a timeout stands alone, since Envoy would not look at it beside another', () => {
  const route = routeOf({ timeoutMs: 1500 });
  expect(route).toHaveProperty('route.timeout', '1.500s');
  expect(route).not.toHaveProperty('route.max_stream_duration');
});

test('a route has no retries where the rule wants none', () => {
  const retries = { attempts: 0, remoteLocalities: false, ignorePreviousHosts: true };
  expect(routeOf({ retries })).not.toHaveProperty('route.retry_policy');
});

describe('headers of a backend', () => {
  const own = headers({ set: [['x-a', 'backend']], remove: ['x-r'] }, { add: [['x-b', 'backend']] });
  const common = headers({ set: [['x-a', 'rule']] }, { remove: ['x-s'] });

  test('come after those of the rule where it has one backend, however many clusters that is', () => {
    const route = routeOf({ action: to(backend('a', 100, own)), headers: common }, split);
    expect(route).toMatchObject({
      request_headers_to_add: [{ header: { value: 'rule' } }, { header: { value: 'backend' } }],
      request_headers_to_remove: ['x-r'],
      response_headers_to_add: [{ header: { key: 'x-b', value: 'backend' } }],
      response_headers_to_remove: ['x-s'],
    });
    expect(route).not.toHaveProperty('route.weighted_clusters.clusters[0].request_headers_to_add');
  });

  test('stand with each of its clusters where there are more backends', () => {
    const route = routeOf({ action: to(backend('a', 50, own), backend('b', 50)), headers: common }, split);
    expect(route).toMatchObject({ request_headers_to_add: [{ header: { value: 'rule' } }] });
    expect(route).toMatchObject({
      route: {
        weighted_clusters: {
          clusters: [
            { name: 'a-stable', request_headers_to_add: [{ header: { value: 'backend' } }] },
            { name: 'a-next', request_headers_to_remove: ['x-r'] },
            { name: 'b-stable', weight: 95 },
            { name: 'b-next', weight: 5 },
          ],
        },
      },
    });
  });

  test('stay with its cluster where the other backends have no weight', () => {
    expect(routeOf({ action: to(backend('a', 100, own), backend('b', 0)) })).toMatchObject({
      route: { weighted_clusters: { clusters: [{ name: 'a', request_headers_to_remove: ['x-r'] }] } },
    });
  });
});

describe('the host', () => {
  const hosted = (host: string) => headers({ set: [['Host', host]], add: [[':authority', 'unused.example']] });

  test('is the one that the rewrite says, over all others', () => {
    const rewrite = { authority: 'rewrite.example' };
    const backends = to(backend('a', 1, hosted('a.example')), backend('b', 1));
    const route = routeOf({ rewrite, headers: hosted('rule.example'), action: backends });
    expect(route).toHaveProperty('route.host_rewrite_literal', 'rewrite.example');
    expect(route).not.toHaveProperty('route.weighted_clusters.clusters[0].host_rewrite_literal');
    expect(JSON.stringify(route)).not.toContain('rule.example');
  });

  test("is else that of the rule's headers", () => {
    const route = routeOf({ headers: hosted('rule.example'), action: to(backend('a', 1, hosted('a.example'))) });
    expect(route).toHaveProperty('route.host_rewrite_literal', 'rule.example');
  });

  test('is else that of a lone backend', () => {
    const route = routeOf({ action: to(backend('a', 1, hosted('a.example'))) }, split);
    expect(route).toHaveProperty('route.host_rewrite_literal', 'a.example');
  });

  test('is else that of the backend that is chosen', () => {
    const route = routeOf({ action: to(backend('a', 1, hosted('a.example')), backend('b', 1)) });
    expect(route).toHaveProperty('route.weighted_clusters.clusters[0].host_rewrite_literal', 'a.example');
    expect(route).not.toHaveProperty('route.host_rewrite_literal');
  });
});

test.each<[string, HashPolicy[], object[] | undefined]>([
  ['nothing', [], undefined],
  ['a header', [{ kind: 'header', name: 'x-user' }], [{ header: { header_name: 'x-user' } }]],
  ['a query parameter', [{ kind: 'query', name: 'user' }], [{ query_parameter: { name: 'user' } }]],
  ['where it comes from', [{ kind: 'source-ip' }], [{ connection_properties: { source_ip: true } }]],
  ['a cookie that the application sets', [{ kind: 'cookie', name: 'user' }], [{ cookie: { name: 'user' } }]],
  [
    'a cookie that Envoy sets',
    [{ kind: 'cookie', name: 'user', path: '/', ttlMs: 0, attributes: [['SameSite', 'Strict']] }],
    [{ cookie: { name: 'user', path: '/', ttl: '0s', attributes: [{ name: 'SameSite', value: 'Strict' }] } }],
  ],
])('a request finds its endpoint by %s', (_, hashPolicies, expected) => {
  const resolve = ({ hostname }: { hostname: string }) => ({
    shares: [{ cluster: hostname, weight: 100 }],
    hashPolicies,
  });
  const route = routeOf({ action: to(backend('a', 1), backend('b', 1)) }, { resolve });
  if (expected === undefined) expect(route).not.toHaveProperty('route.hash_policy');
  else expect(route).toHaveProperty('route.hash_policy', expected);
});
