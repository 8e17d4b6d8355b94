import { expect, test } from '@jest/globals';
import type { Cors, Fault, HttpRule } from '../mesh/route-rule.ts';
import { buildHttpFilters } from './http-filters.ts';
import { buildHttpRoutes } from './http-routes.ts';
import { CONTEXT, routeJson, rule } from './testing/http-rule-fixture.ts';

function filtersOf(more: Partial<HttpRule>): unknown {
  const [route] = buildHttpRoutes([rule(more)], CONTEXT).map(routeJson);
  return (route as { typed_per_filter_config?: unknown }).typed_per_filter_config;
}

const perMillion = (numerator: number) => ({ numerator, denominator: 'MILLION' });

test.each<[string, Fault, object]>([
  [
    'a delay',
    { delay: { fixedMs: 2500, percent: 0.1 } },
    { delay: { fixed_delay: '2.500s', percentage: perMillion(1000) } },
  ],
  [
    'an HTTP status',
    { abort: { httpStatus: 418, percent: 0.001 } },
    { abort: { http_status: 418, percentage: perMillion(10) } },
  ],
  [
    'a gRPC status',
    { abort: { grpcStatus: 14, percent: 100 } },
    { abort: { grpc_status: 14, percentage: perMillion(1_000_000) } },
  ],
  [
    'both, each by its own lot',
    { delay: { fixedMs: 1, percent: 50 }, abort: { httpStatus: 500, percent: 12.5 } },
    {
      delay: { fixed_delay: '0.001s', percentage: perMillion(500_000) },
      abort: { http_status: 500, percentage: perMillion(125_000) },
    },
  ],
  [
    'one in a million where that is more than was asked for',
    { abort: { httpStatus: 500, percent: 0.00001 } },
    { abort: { http_status: 500, percentage: perMillion(1) } },
  ],
  ['nothing, as a delay of nothing can not be', { delay: { fixedMs: 0, percent: 100 } }, {}],
  ['nothing, as an abort without a status can not be', { abort: { percent: 100 } }, {}],
])('a fault is %s', (_, fault, expected) => {
  const type = 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault';
  expect(filtersOf({ fault })).toEqual({ 'envoy.filters.http.fault': { '@type': type, ...expected } });
});

test('no percent is no lot at all', () => {
  expect(filtersOf({ fault: { abort: { httpStatus: 500, percent: 0 } } })).toMatchObject({
    'envoy.filters.http.fault': { abort: { percentage: { denominator: 'MILLION' } } },
  });
});

const CORS: Cors = { allowOrigins: [], allowMethods: [], allowHeaders: [], exposeHeaders: [] };
const ALWAYS = { filter_enabled: { default_value: perMillion(1_000_000) } };

test.each<[string, Cors, object]>([
  ['nobody', CORS, { forward_not_matching_preflights: true }],
  [
    'all that was said',
    {
      allowOrigins: [
        { kind: 'exact', value: 'https://a.example' },
        { kind: 'regex', value: 'https://.*' },
      ],
      allowMethods: ['GET', 'PUT'],
      allowHeaders: ['x-a', 'x-b'],
      exposeHeaders: ['x-c', 'x-d'],
      maxAgeMs: 90_000,
      allowCredentials: false,
      unmatchedPreflights: 'IGNORE',
    },
    {
      allow_origin_string_match: [{ exact: 'https://a.example' }, { safe_regex: { regex: 'https://.*' } }],
      allow_methods: 'GET,PUT',
      allow_headers: 'x-a,x-b',
      expose_headers: 'x-c,x-d',
      max_age: '90',
      allow_credentials: false,
      forward_not_matching_preflights: false,
    },
  ],
  [
    'preflights of others, which it forwards',
    { ...CORS, unmatchedPreflights: 'FORWARD' },
    { forward_not_matching_preflights: true },
  ],
])('CORS lets in %s', (_, cors, expected) => {
  const type = 'type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy';
  expect(filtersOf({ cors })).toEqual({ 'envoy.filters.http.cors': { '@type': type, ...ALWAYS, ...expected } });
});

test('other rules configure no filter', () => {
  expect(filtersOf({})).toBeUndefined();
});

test('filters stand in their order, and arriving requests meet none that routes out configure', () => {
  const names = (direction: 'outbound' | 'inbound') => buildHttpFilters({ direction }).map(({ name }) => name);
  expect(names('outbound')).toEqual(
    ['tap', 'fault', 'cors', 'set_filter_state', 'router'].map((name) => `envoy.filters.http.${name}`),
  );
  expect(names('inbound')).toEqual(['envoy.filters.http.tap', 'envoy.filters.http.router']);
});
